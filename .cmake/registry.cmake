# SPDX-License-Identifier: MIT
# One file adds a feature: for every .cpp of FOLDER without a header of its own, a generated source calls
# `NAMESPACE::<file name>(REGISTRY&)`, in name order. The generated function is `NAMESPACE::FUNCTION(REGISTRY&)`,
# declared in HEADER. A plug-in file without its function fails at link time by name.
function(edge_registry target)
  cmake_parse_arguments(ARG "" "FOLDER;NAMESPACE;REGISTRY;HEADER;FUNCTION" "" ${ARGN})
  file(GLOB files CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/${ARG_FOLDER}/*.cpp")
  list(SORT files)
  set(declarations "")
  set(calls "")
  foreach(file IN LISTS files)
    get_filename_component(name "${file}" NAME_WE)
    if(NOT EXISTS "${PROJECT_SOURCE_DIR}/${ARG_FOLDER}/${name}.h")
      string(APPEND declarations "void ${name}(${ARG_REGISTRY}& registry);\n")
      string(APPEND calls "  ${name}(registry);\n")
    endif()
  endforeach()
  string(REPLACE "/" "_" stem "${ARG_FOLDER}")
  set(output "${PROJECT_BINARY_DIR}/registry/${stem}.cpp")
  set(parameter "registry")
  if(calls STREQUAL "")
    set(parameter "")
  endif()
  file(GENERATE OUTPUT "${output}" CONTENT
"// Written by CMake from the listing of ${ARG_FOLDER}.
#include \"${ARG_HEADER}\"

namespace ${ARG_NAMESPACE} {

${declarations}
void ${ARG_FUNCTION}(${ARG_REGISTRY}& ${parameter}) {
${calls}}

}  // namespace ${ARG_NAMESPACE}
")
  target_sources(${target} PRIVATE "${output}")
endfunction()
