# Included by CMake right after llama-cpp-python's own project() call.
#
# Nearly all of the build goes into some 180 small files that each parse the same
# large header, so that header is compiled once for all of them. The `common`
# library is llama.cpp's own command-line helper; nothing in the Python package
# loads it. Optimisation flags are untouched: what runs is the same code.

# A plain variable wins over the cache entry of the same name (policy CMP0126).
set(LLAMA_BUILD_COMMON OFF)

function(draftproof_precompile_llama_header)
  if(TARGET llama)
    get_target_property(source_dir llama SOURCE_DIR)
    if(EXISTS "${source_dir}/models/models.h")
      target_precompile_headers(llama PRIVATE "${source_dir}/models/models.h")
    endif()
  endif()
endfunction()

if(NOT CMAKE_VERSION VERSION_LESS 3.19)
  cmake_language(DEFER CALL draftproof_precompile_llama_header)
endif()
