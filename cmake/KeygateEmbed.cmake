# keygate_embed(FILE NAME TARGET): the text of FILE as the array NAME, in <FILE's folder>/NAME.hpp of the build tree.
function(keygate_embed file name target)
  get_filename_component(folder ${file} DIRECTORY)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${file})
  file(READ ${PROJECT_SOURCE_DIR}/${file} text)
  string(CONCAT content "// Made from ${file} by the build.\n#pragma once\n\nnamespace keygate::${folder} {\n\n"
         "inline constexpr char ${name}[] = R\"keygate(" "${text}" ")keygate\";\n\n}  // namespace keygate::${folder}\n")
  file(CONFIGURE OUTPUT ${PROJECT_BINARY_DIR}/embedded/${folder}/${name}.hpp CONTENT "${content}" @ONLY)
  target_include_directories(${target} PRIVATE ${PROJECT_BINARY_DIR}/embedded)
endfunction()
