# SPDX-License-Identifier: MIT
if(NOT EXISTS "${MANIFEST}")
  message(FATAL_ERROR "nothing was installed from this build directory")
endif()
file(STRINGS "${MANIFEST}" files)
foreach(file IN LISTS files)
  message(STATUS "removing $ENV{DESTDIR}${file}")
  file(REMOVE "$ENV{DESTDIR}${file}")
endforeach()
