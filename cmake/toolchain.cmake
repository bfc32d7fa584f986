# Compiler, linker and warning settings shared by every target.

# "Dev" is what tests run: assertions on, little optimisation, short builds.
set(CMAKE_CXX_FLAGS_DEV "-O1 -g1")
set(CMAKE_C_FLAGS_DEV "-O1 -g1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -g1")
set(CMAKE_C_FLAGS_RELEASE "-O2 -g1")
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Dev CACHE STRING "" FORCE)
endif()

add_compile_options(-Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Werror
                    -fno-omit-frame-pointer -fdata-sections -ffunction-sections)
# g++ 12 reports these inside its own and Boost's headers once they are inlined.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-Wno-error=maybe-uninitialized -Wno-maybe-uninitialized -Wno-restrict -Wno-stringop-overflow
                      -Wno-array-bounds
                      -Wno-stringop-overread -Wno-missing-field-initializers)
else()
  # std::stable_sort of g++ 12 uses what C++17 deprecated.
  add_compile_options(-Wno-missing-field-initializers -Wno-unused-private-field -Wno-deprecated-declarations)
endif()
add_link_options(-Wl,--gc-sections)

if(ATALAYA_SANITIZE)
  add_compile_options(-fsanitize=${ATALAYA_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ATALAYA_SANITIZE})
  if(ATALAYA_SANITIZE MATCHES thread)
    # The sanitizer does not understand fences; Asio needs none, its queues have locks.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
      add_compile_options(-Wno-tsan)
    endif()
  endif()
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # Paths relative to the source, so that several build folders share one cache.
  set(launcher ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
endif()

find_program(MOLD mold)
if(MOLD)
  add_link_options(-fuse-ld=mold)
endif()
