# Third parties, one imported target each, all from Debian. An archive is preferred to a shared
# library, so that the agent needs nothing on a node but the C library and TLS.

find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED)

function(at_third_party target)
  cmake_parse_arguments(ARG "" "" "NAMES;DEFINES;LINK" ${ARGN})
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  foreach(name IN LISTS ARG_NAMES)
    find_library(AT_LIB_${name} NAMES lib${name}.a ${name} REQUIRED)
    list(APPEND found ${AT_LIB_${name}})
  endforeach()
  target_link_libraries(${target} INTERFACE ${found} ${ARG_LINK})
  target_compile_definitions(${target} INTERFACE ${ARG_DEFINES})
endfunction()

add_library(tp_fmt INTERFACE IMPORTED GLOBAL)  # compiled by base/fmt_library.cc
add_library(tp_spdlog INTERFACE IMPORTED GLOBAL)  # header-only, inside telemetry/ alone
target_link_libraries(tp_spdlog INTERFACE tp_fmt Threads::Threads)
target_compile_definitions(tp_spdlog INTERFACE SPDLOG_HEADER_ONLY SPDLOG_FMT_EXTERNAL)
add_library(tp_cli INTERFACE IMPORTED GLOBAL)  # CLI11: header-only, inside config/ alone
at_third_party(tp_zstd NAMES zstd)
at_third_party(tp_zlib NAMES z)
at_third_party(tp_snappy NAMES snappy)
at_third_party(tp_xxhash NAMES xxhash)
at_third_party(tp_roaring NAMES roaring)
at_third_party(tp_yaml NAMES yaml)
at_third_party(tp_re2 NAMES re2 LINK Threads::Threads)
at_third_party(tp_json NAMES boost_json DEFINES BOOST_JSON_NO_LIB)
at_third_party(tp_url NAMES boost_url DEFINES BOOST_URL_NO_LIB)
at_third_party(tp_argon2 NAMES argon2)
at_third_party(tp_jwt NAMES jwt)
at_third_party(tp_date NAMES date-tz DEFINES USE_OS_TZDB=1 HAS_STRING_VIEW=1 ONLY_C_LOCALE=1)
add_library(tp_asio INTERFACE IMPORTED GLOBAL)
target_link_libraries(tp_asio INTERFACE Boost::headers OpenSSL::SSL OpenSSL::Crypto Threads::Threads)
target_compile_definitions(tp_asio INTERFACE BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_VISIBILITY)
# These pull in many of their own: shared.
foreach(pair IN ITEMS "tp_curl:curl" "tp_amqp:rabbitmq" "tp_sqlite:sqlite3" "tp_soci:soci_core" "tp_soci_sqlite:soci_sqlite3"
                      "tp_soci_pg:soci_postgresql")
  string(REPLACE ":" ";" pair ${pair})
  list(GET pair 0 target)
  list(GET pair 1 name)
  add_library(${target} INTERFACE IMPORTED GLOBAL)
  find_library(AT_LIB_${name} NAMES ${name} REQUIRED)
  target_link_libraries(${target} INTERFACE ${AT_LIB_${name}})
endforeach()

find_package(GTest REQUIRED)
