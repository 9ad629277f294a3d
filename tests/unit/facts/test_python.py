"""Python in a design becomes routes, models and faults; what does not parse yields nothing."""

from __future__ import annotations

import pytest

from draftproof.facts.base import Fact
from draftproof.facts.python import (
    Call,
    Field,
    Model,
    OffsetCommit,
    Route,
    SendAndCommit,
    Swallowed,
    python_facts,
)
from tests.fakes.facts import FenceReader, fenced

READER = FenceReader(python_facts, "python")
facts, one = READER.facts, READER.one


def faults(text: str) -> list[str]:
    return [call.fault for call in facts(Call, text)]


ROUTE = """\
@router.post("/orders", response_model=OrderOut, status_code=201)
async def place(body: OrderIn, user: User = Depends(current_user), session: Session = Depends(db)) -> OrderOut:
    session.add(Order(**body.model_dump()))
    await session.commit()
    return {"id": 1}
"""


def test_a_route_knows_its_method_path_model_and_status() -> None:
    route = one(Route, ROUTE)
    assert (route.method, route.path, route.function) == ("post", "/orders", "place")
    assert (route.model, route.status, route.is_async) == ("OrderOut", "201", True)
    assert (route.authenticated, route.writes, route.returns_dict) == (True, True, True)
    assert route.span.first == 2


def test_a_route_has_the_prefix_and_the_dependencies_of_its_router() -> None:
    text = """router = APIRouter(prefix="/orders", dependencies=[Depends(current_customer)])
app = FastAPI()
app.include_router(router, prefix="/v1")

@router.post("/{order_id}/cancel")
async def cancel(order_id: UUID):
    session.add(Cancelled(order_id))

@app.get("/healthz")
async def health():
    pass
"""
    cancel, health = sorted(facts(Route, text), key=lambda route: -len(route.path))
    assert (cancel.path, cancel.authenticated) == ("/v1/orders/{order_id}/cancel", True)
    assert (health.path, health.authenticated) == ("/healthz", False)


@pytest.mark.parametrize(
    ("dependency", "known"),
    [
        ("who: Driver = Depends(current_driver)", True),
        ("who: Annotated[Staff, Depends(deps.get_current_staff)]", True),
        ("day: date = Depends(get_day)", False),
        ("body: OrderIn", False),
    ],
)
def test_whoever_is_asking_comes_by_a_dependency_on_the_current_one(dependency: str, known: bool) -> None:
    route = one(Route, f'@router.post("/orders")\nasync def place({dependency}):\n    pass\n')
    assert route.authenticated is known


@pytest.mark.parametrize(
    ("signature", "paged"),
    [
        ("offset: int = 0", "offset"),
        ("page: int = 1", "offset"),
        ("cursor: str | None = None", "cursor"),
        ("q: str", ""),
    ],
)
def test_a_route_knows_how_it_is_paged(signature: str, paged: str) -> None:
    assert one(Route, f'@app.get("/x")\ndef f({signature}): ...').paged == paged


@pytest.mark.parametrize(
    "decorator", ["@cache.get", "@app.get()", "@app.get(PATH)", "@app.websocket('/ws')", "@property"]
)
def test_other_decorators_are_no_routes(decorator: str) -> None:
    assert not facts(Route, f"{decorator}\ndef f(): ...")


def test_a_model_counts_its_constrained_fields_and_knows_its_rule_for_others() -> None:
    text = (
        'class OrderIn(BaseModel):\n    model_config = ConfigDict(extra="forbid")\n'
        "    name: str\n    note: Annotated[str, Field(max_length=9)]\n    count: int = Field(ge=1)\n    id: UUID\n"
    )
    model = one(Model, text)
    assert (model.name, model.fields, model.constrained, model.extra) == ("OrderIn", 4, 3, "forbid")


def test_tables_of_an_orm_are_no_models() -> None:
    assert not facts(Model, "class Order(Base):\n    id: Mapped[int]\n")
    assert not facts(Model, "class Order(Thing):\n    id: int\n")


@pytest.mark.parametrize(
    ("field", "money"),
    [("amount: float", True), ("total_price: float", True), ("latitude: float", False), ("account: str", False)],
)
def test_fields_that_count_money_are_known(field: str, money: bool) -> None:
    assert one(Field, f"class A(BaseModel):\n    {field}\n").money is money


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("requests.get(url, timeout=3)", ["blocking"]),
        ("time.sleep(3)", ["blocking"]),
        ("await anyio.sleep(3)", []),
        ("await client.get(url)", []),
        ("await anyio.to_thread.run_sync(requests.get, url)", []),
        ("httpx.get(url)", ["blocking", "no_timeout"]),
        ("await db.execute(f'SELECT * FROM t WHERE id = {x}')", ["string_sql"]),
        ("await db.execute('SELECT * FROM t WHERE id = %s' % x)", ["string_sql"]),
        ("await db.execute(text('SELECT * FROM t WHERE id = ' + x))", ["string_sql", "string_sql"]),
        ("await db.execute('SELECT * FROM t WHERE id = {}'.format(x))", ["string_sql"]),
        ("await db.execute('SELECT * FROM t WHERE id = $1', x)", []),
        ("await db.execute(f'done')", []),
        ("jwt.decode(token, key, algorithms=['RS256'])", []),
        ("jwt.decode(token, key)", ["unverified_token"]),
        ("jwt.decode(token, key, algorithms=['none'])", ["unverified_token"]),
        ("jwt.decode(token, options={'verify_signature': False}, algorithms=['RS256'])", ["unverified_token"]),
        ("raise HTTPException(500, detail=str(exc))", ["trace_to_client"]),
        ("raise HTTPException(404, detail='unknown order')", []),
        ("await producer.send('t', key=uuid4().bytes, value=v)", ["random_key"]),
        ("await producer.send('t', key=order.id, value=v)", []),
    ],
)
def test_a_coroutine_does_what_it_had_better_not(body: str, found: list[str]) -> None:
    assert faults(f"async def f(x, url, token, key, order, v):\n    {body}\n") == found


def test_a_plain_function_may_block() -> None:
    assert faults("def f():\n    time.sleep(3)\n") == []


def test_a_function_inside_another_is_judged_by_itself() -> None:
    assert faults("async def f():\n    def g():\n        time.sleep(1)\n    await run(g)\n") == []


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("JWT_SECRET = 'hunter22'", ["plain_secret"]),
        ("JWT_SECRET = os.environ['JWT_SECRET']", []),
        ("API_KEY: str = 'abcdef'", ["plain_secret"]),
        ("TOKEN_TTL = '15m'", []),
        ("seen = set()", ["mutable_global"]),
        ("sessions: dict[str, str] = {}", ["mutable_global"]),
        ("LIMITS = {}", []),
        ("codes = {'a': 1}", []),
        ("def f(at=datetime.utcnow()): ...", ["default_argument"]),
        ("def f(*, at=uuid4()): ...", ["default_argument"]),
        ("def f(at=None): ...", []),
    ],
)
def test_what_a_module_states_for_all_calls(statement: str, found: list[str]) -> None:
    assert faults(statement) == found


def test_a_secret_is_not_kept() -> None:
    assert "hunter22" not in str(facts(Call, "JWT_SECRET = 'hunter22'"))


@pytest.mark.parametrize(
    ("handler", "found"),
    [
        ("except Exception:\n        pass", [True]),
        ("except:\n        return None", [True]),
        ("except KeyError:\n        continue", [False]),
        ("except Exception:\n        log.exception('x')", []),
        ("except Exception:\n        raise", []),
        ("except Exception:\n        errors.inc()\n        return None", []),
    ],
)
def test_an_exception_without_a_trace_is_swallowed(handler: str, found: list[bool]) -> None:
    text = f"def f():\n  for x in y:\n    try:\n        g()\n    {handler}\n"
    assert [swallowed.broad for swallowed in facts(Swallowed, text)] == found


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ("await session.commit()\n    await producer.send_and_wait('t', v)", "commit"),
        ("await producer.send_and_wait('t', v)\n    await session.commit()", "send"),
    ],
)
def test_the_order_of_publishing_and_committing_is_known(body: str, first: str) -> None:
    pair = one(SendAndCommit, f"async def f(v):\n    {body}\n")
    assert (pair.first, pair.span.first, pair.span.last) == (first, 3, 4)


def test_mail_and_sockets_publish_no_event() -> None:
    assert not facts(SendAndCommit, "async def f():\n    await session.commit()\n    await websocket.send(v)\n")


@pytest.mark.parametrize(
    ("body", "when"),
    [
        ("await consumer.commit()\n        await handle(m)", ["before"]),
        ("await handle(m)\n        await consumer.commit()", ["after"]),
        ("await handle(m)\n        await consumer.commit()\n        await save(m)", []),
        ("await consumer.commit()", []),
    ],
)
def test_the_place_of_an_offset_commit_is_known(body: str, when: list[str]) -> None:
    text = f"async def run():\n    async for m in consumer:\n        {body}\n"
    assert [commit.when for commit in facts(OffsetCommit, text)] == when


def test_a_fault_in_one_definition_leaves_the_others_with_their_lines() -> None:
    text = "def broken(:\n    pass\n\n@app.get('/a')\ndef fine():\n    time.sleep(1)\n\nclass Half(\n"
    route = one(Route, text)
    assert (route.path, route.span.first) == ("/a", 5)


def test_a_fence_without_a_label_is_python_if_it_looks_like_it() -> None:
    text = "async def f():\n    time.sleep(1)\n"
    assert facts(Call, text, "")
    assert facts(Call, text, "py")
    assert not facts(Call, text, "yaml")
    assert not facts(Call, text, "mermaid")


@pytest.mark.parametrize(
    "text",
    [
        "...",
        "def",
        "@",
        "@app.get('/x')",
        "class A(BaseModel):",
        "class A(BaseModel): ...",
        "async def f(): await",
        "x = '\\",
        "def f():\n\treturn 1\n        return 2",
        "jwt.decode()",
        "def f():\n    jwt.decode()\n    db.execute()\n    producer.send()",
        "(" * 500,
        "x = " + "-" * 3000 + "1",
        "async def f():\n    g(" + "-" * 900 + "1)",
        "def f():\n  if a: pass\n" + "  elif b: g()\n" * 2000,
        "def f():\n    a" + ".b()" * 800,
        "\x00def f(): ...",
    ],
)
def test_broken_python_raises_nothing(text: str) -> None:
    assert all(isinstance(f, Fact) for f in python_facts(fenced(text, "python")))
