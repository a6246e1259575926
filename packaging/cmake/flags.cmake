# SPDX-License-Identifier: Apache-2.0
# Compiler and linker flags of the whole tree: warnings, hardening, sanitizers.
add_compile_definitions(_GNU_SOURCE)
add_compile_options(
	-Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion
	-Wcast-qual -Wundef -Wvla -Wformat=2 -Wnull-dereference -fno-common
	-fstack-protector-strong)
if(CONVRO_WERROR)
	add_compile_options(-Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" OR CMAKE_BUILD_TYPE STREQUAL "Release")
	# The release build keeps its checks: MUST() does not depend on NDEBUG.
	add_compile_options($<$<CONFIG:RelWithDebInfo>:-O2>)
	if(NOT CONVRO_SANITIZE)
		add_compile_definitions(_FORTIFY_SOURCE=2)
	endif()
endif()
add_link_options(-Wl,-z,relro,-z,now,-z,noexecstack)

if(CONVRO_SANITIZE)
	add_compile_options(-fsanitize=${CONVRO_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
	add_link_options(-fsanitize=${CONVRO_SANITIZE})
	# gcc 12 reports false positives of this warning under its own sanitizers.
	add_compile_options(-Wno-null-dereference)
endif()
if(CONVRO_FUZZ)
	add_compile_options(-fsanitize=fuzzer-no-link)
endif()
if(CONVRO_COVERAGE)
	add_compile_options(--coverage)
	add_link_options(--coverage)
endif()
