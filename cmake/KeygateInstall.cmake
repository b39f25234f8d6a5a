# What `cmake --install` puts where, and the Debian package that `cpack` makes of it (deploy/deb/README.md).
include(GNUInstallDirs)
# An installation is of the binary alone, so it does not build the tests first.
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)
find_package(Python3 COMPONENTS Interpreter QUIET)

install(TARGETS keygate RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/config/examples DESTINATION ${CMAKE_INSTALL_DOCDIR}
        PATTERN node_modules EXCLUDE)
# The units name /usr/bin and /etc: they go where the rest goes there too.
install(CODE "
  set(from \"${PROJECT_SOURCE_DIR}/deploy\")
  if(CMAKE_INSTALL_PREFIX STREQUAL \"/usr\")
    file(INSTALL \"\${from}/systemd/keygate.service\" \"\${from}/systemd/keygate-keyserver.service\"
         DESTINATION /lib/systemd/system)
    file(INSTALL \"\${from}/package/keygate.yaml\" \"\${from}/package/policy.yaml\" DESTINATION /etc/keygate)
  endif()")

# Man pages and completions say what the binary says of itself, so they are made of it, when it is installed.
if(Python3_FOUND)
  install(CODE "execute_process(COMMAND \"${Python3_EXECUTABLE}\" \"${PROJECT_SOURCE_DIR}/deploy/package/make_docs.py\"
    \"$<TARGET_FILE:keygate>\" \"${PROJECT_BINARY_DIR}/package\" COMMAND_ERROR_IS_FATAL ANY)")
  install(DIRECTORY ${PROJECT_BINARY_DIR}/package/man1 DESTINATION ${CMAKE_INSTALL_MANDIR})
  install(FILES ${PROJECT_BINARY_DIR}/package/completions/keygate.bash RENAME keygate
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${PROJECT_BINARY_DIR}/package/completions/_keygate
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
  install(FILES ${PROJECT_BINARY_DIR}/package/completions/keygate.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
else()
  message(STATUS "no Python: installed without man pages and completions")
endif()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME keygate)
set(CPACK_PACKAGE_VENDOR Keygate)
set(CPACK_PACKAGE_CONTACT "The Keygate authors <keygate@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
# For trying an upgrade: what stands behind the version.
set(KEYGATE_PACKAGE_REVISION 1 CACHE STRING "Revision of the Debian package")
set(CPACK_DEBIAN_PACKAGE_RELEASE ${KEYGATE_PACKAGE_REVISION})
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/deploy/deb/conffiles ${PROJECT_SOURCE_DIR}/deploy/deb/postinst
    ${PROJECT_SOURCE_DIR}/deploy/deb/prerm ${PROJECT_SOURCE_DIR}/deploy/deb/postrm)
set(CPACK_STRIP_FILES ON)
# /etc is no part of /usr: only with DESTDIR does it stay in the package.
set(CPACK_SET_DESTDIR ON)
set(CPACK_INSTALL_PREFIX /usr)
include(CPack)
