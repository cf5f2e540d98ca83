# How every library, program and test of Keng is compiled. Rooms only say their sources and needs:
#
#   kg_library(store SOURCES db.c journal.c USES base alert PACKAGES sqlite3)
#   kg_program(keng-router SOURCES main.c router.c USES svc bus store)
#   kg_unit(journal_test SOURCES journal_test.c USES store)        # a cmocka binary = one ctest test
#   kg_fuzz(alert_unpack SOURCES alert_unpack.c USES alert)        # see tests/fuzz/CMakeLists.txt
#
# A library is the folder common/<name>; it is included as "<name>/<header>.h".

set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
# A release keeps its assertions: a broken invariant must stop the process, never go on.
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELWITHDEBINFO "${CMAKE_C_FLAGS_RELWITHDEBINFO}")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
find_package(PkgConfig REQUIRED)

add_library(kg_flags INTERFACE)
target_compile_definitions(kg_flags INTERFACE _GNU_SOURCE KENG_VERSION="${PROJECT_VERSION}"
    $<$<BOOL:${KENG_FAULTS}>:KENG_FAULTS>)
target_compile_options(kg_flags INTERFACE -fvisibility=hidden -fno-common -fstack-protector-strong)
if(CMAKE_BUILD_TYPE STREQUAL "Release" OR CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo")
    target_compile_options(kg_flags INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
target_link_options(kg_flags INTERFACE -Wl,-z,relro,-z,now)
if(KENG_SANITIZE)
    target_compile_options(kg_flags INTERFACE -fsanitize=${KENG_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
    target_link_options(kg_flags INTERFACE -fsanitize=${KENG_SANITIZE})
endif()
if(KENG_FUZZ)
    target_compile_options(kg_flags INTERFACE -fsanitize=fuzzer-no-link)
    target_link_options(kg_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
if(KENG_COVERAGE)
    target_compile_options(kg_flags INTERFACE --coverage)
    target_link_options(kg_flags INTERFACE --coverage)
endif()

set(KG_WARNINGS -Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wcast-qual
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wswitch-enum -Wundef -Wwrite-strings)

function(_kg_target name)
    cmake_parse_arguments(A "" "" "SOURCES;USES;PACKAGES" ${ARGN})
    target_compile_options(${name} PRIVATE ${KG_WARNINGS})
    target_include_directories(${name} PUBLIC "${CMAKE_SOURCE_DIR}/common")
    target_link_libraries(${name} PUBLIC kg_flags ${A_USES})
    foreach(package IN LISTS A_PACKAGES)
        if(NOT TARGET PkgConfig::KG_${package})
            pkg_check_modules(KG_${package} REQUIRED IMPORTED_TARGET GLOBAL ${package})
        endif()
        get_target_property(dirs PkgConfig::KG_${package} INTERFACE_INCLUDE_DIRECTORIES)
        if(dirs)
            target_include_directories(${name} SYSTEM PRIVATE ${dirs})
        endif()
        target_link_libraries(${name} PRIVATE PkgConfig::KG_${package})
    endforeach()
endfunction()

function(kg_library name)
    cmake_parse_arguments(A "" "" "SOURCES;USES;PACKAGES" ${ARGN})
    add_library(${name} STATIC ${A_SOURCES})
    _kg_target(${name} ${ARGN})
endfunction()

function(kg_program name)
    cmake_parse_arguments(A "" "" "SOURCES;USES;PACKAGES" ${ARGN})
    add_executable(${name} ${A_SOURCES})
    _kg_target(${name} ${ARGN})
    target_include_directories(${name} PRIVATE "${CMAKE_CURRENT_SOURCE_DIR}")
    install(TARGETS ${name} RUNTIME DESTINATION bin)
    if(name MATCHES "^keng")
        # The manual page is what the program prints of itself: one text for --help, --man and man(1).
        set(page "${CMAKE_BINARY_DIR}/man/${name}.1")
        file(MAKE_DIRECTORY "${CMAKE_BINARY_DIR}/man")
        add_custom_command(TARGET ${name} POST_BUILD COMMAND $<TARGET_FILE:${name}> --man > "${page}" VERBATIM)
        install(FILES "${page}" DESTINATION share/man/man1)
    endif()
endfunction()

# LABEL: unit (default), corpus, arch. Tests find the tree through KENG_SOURCE_DIR and the reference data,
# which is never committed, through KENG_SHARED_DIR (they skip with a printed reason where it is absent).
function(kg_unit name)
    cmake_parse_arguments(A "" "LABEL" "SOURCES;USES;PACKAGES" ${ARGN})
    add_executable(${name} ${A_SOURCES})
    _kg_target(${name} SOURCES ${A_SOURCES} USES ${A_USES} PACKAGES ${A_PACKAGES} cmocka)
    target_include_directories(${name} PRIVATE "${CMAKE_SOURCE_DIR}")
    set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests")
    add_test(NAME ${name} COMMAND ${name})
    if(NOT A_LABEL)
        set(A_LABEL unit)
    endif()
    set_tests_properties(${name} PROPERTIES LABELS ${A_LABEL} TIMEOUT 120
        ENVIRONMENT "KENG_SOURCE_DIR=${CMAKE_SOURCE_DIR};KENG_SHARED_DIR=${CMAKE_SOURCE_DIR}/../shared;KENG_BIN_DIR=${CMAKE_RUNTIME_OUTPUT_DIRECTORY}")
endfunction()
