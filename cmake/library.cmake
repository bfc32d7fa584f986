# at_library(NAME [DEPS …]): the folder src/NAME as a static library at_NAME; sources and tests are
# found by name (x.cc, x_test.cc, x_fuzz.cc), so a new file needs no edit here.
#   NAME may hold a slash (net/curl → at_net_curl); files of nested at_library folders are left out
#   by EXCLUDE.

include(GoogleTest)

function(at_library name)
  cmake_parse_arguments(ARG "" "" "DEPS;EXCLUDE" ${ARGN})
  string(REPLACE "/" "_" id ${name})
  set(dir ${CMAKE_SOURCE_DIR}/src/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${dir}/*.cc)
  foreach(sub IN LISTS ARG_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "^${dir}/${sub}/")
  endforeach()
  set(tests ${sources})
  set(fuzzers ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "_(test|fuzz)\\.cc$")

  if(sources)
    add_library(at_${id} STATIC ${sources})
    target_include_directories(at_${id} PUBLIC ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(at_${id} PUBLIC ${ARG_DEPS})
  else()
    add_library(at_${id} INTERFACE)
    target_include_directories(at_${id} INTERFACE ${CMAKE_SOURCE_DIR}/src)
    target_link_libraries(at_${id} INTERFACE ${ARG_DEPS})
  endif()

  if(tests)
    add_executable(test_${id} ${tests})
    target_link_libraries(test_${id} PRIVATE at_${id} at_test_main GTest::gmock)
    target_compile_definitions(test_${id} PRIVATE AT_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
    add_test(NAME unit_${id} COMMAND test_${id})
    set_tests_properties(unit_${id} PROPERTIES TIMEOUT 300 LABELS unit)
  endif()

  foreach(fuzzer IN LISTS fuzzers)
    get_filename_component(stem ${fuzzer} NAME_WE)
    if(ATALAYA_FUZZ)
      add_executable(${stem} ${fuzzer})
      target_link_libraries(${stem} PRIVATE at_${id} -fsanitize=fuzzer)
    else()
      # The corpus and a fixed number of mutations of it run as an ordinary test.
      add_executable(replay_${stem} ${fuzzer})
      target_link_libraries(replay_${stem} PRIVATE at_${id} at_fuzz_replay)
      add_test(NAME fuzz_${stem} COMMAND replay_${stem} ${CMAKE_SOURCE_DIR}/test/corpus/${stem})
      set_tests_properties(fuzz_${stem} PROPERTIES TIMEOUT 300 LABELS fuzz)
    endif()
  endforeach()
endfunction()
