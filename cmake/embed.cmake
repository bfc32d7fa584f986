# at_embed(TARGET FUNCTION DIR): links every file below DIR into TARGET; the function
# `atalaya::FUNCTION()` (declare it: `EmbeddedFiles FUNCTION();`) lists them by relative path.
function(at_embed target function dir)
  file(GLOB_RECURSE files CONFIGURE_DEPENDS RELATIVE ${dir} ${dir}/*)
  list(SORT files)
  set(assembly "")
  set(externs "")
  set(rows "")
  set(depends "")
  set(index 0)
  foreach(file IN LISTS files)
    set(symbol "at_embedded_${function}_${index}")
    string(APPEND assembly
      "    \".global ${symbol}\\n${symbol}:\\n.incbin \\\"${dir}/${file}\\\"\\n.global ${symbol}_end\\n${symbol}_end:\\n.byte 0\\n\"\n")
    string(APPEND externs "extern const char ${symbol}[];\nextern const char ${symbol}_end[];\n")
    string(APPEND rows "      {\"${file}\", {${symbol}, static_cast<std::size_t>(${symbol}_end - ${symbol})}},\n")
    list(APPEND depends ${dir}/${file})
    math(EXPR index "${index} + 1")
  endforeach()
  set(source ${CMAKE_BINARY_DIR}/embedded/${function}.cc)
  file(CONFIGURE OUTPUT ${source} @ONLY CONTENT
"#include \"base/embedded.h\"

#include <vector>

asm(\".section .rodata\\n\"
@assembly@    \".text\\n\");
extern \"C\" {
@externs@}
namespace atalaya {
EmbeddedFiles @function@();
EmbeddedFiles @function@() {
  static const std::vector<EmbeddedFile> files{
@rows@  };
  return files;
}
}  // namespace atalaya
")
  # The bytes are read by the assembler, where a compiler cache does not look.
  set_source_files_properties(${source} PROPERTIES OBJECT_DEPENDS "${depends}")
  add_library(${target}_${function} OBJECT ${source})
  target_include_directories(${target}_${function} PRIVATE ${CMAKE_SOURCE_DIR}/src)
  set_target_properties(${target}_${function} PROPERTIES CXX_COMPILER_LAUNCHER "")
  target_link_libraries(${target} PRIVATE ${target}_${function})
  target_sources(${target} PRIVATE $<TARGET_OBJECTS:${target}_${function}>)
endfunction()
