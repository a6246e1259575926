# SPDX-License-Identifier: Apache-2.0
# convro_pack_sql(<name>): sql/<name>/ -> <name>_sql.h (enum) and <name>_sql.c (tables).
# convro_add_module(<name>): modules/<name>/*.c -> <name>.so; it links against nothing of ours.

function(convro_pack_sql name out_sources)
	set(dir ${PROJECT_SOURCE_DIR}/sql/${name})
	set(${out_sources} "" PARENT_SCOPE)
	if(NOT IS_DIRECTORY ${dir})
		return()
	endif()
	file(GLOB inputs CONFIGURE_DEPENDS ${dir}/*.sql)
	set(gen ${PROJECT_BINARY_DIR}/generated)
	file(MAKE_DIRECTORY ${gen})
	add_custom_command(
		OUTPUT ${gen}/${name}_sql.h ${gen}/${name}_sql.c
		COMMAND sqlpack ${name} ${dir} ${gen}/${name}_sql.h ${gen}/${name}_sql.c
		DEPENDS sqlpack ${inputs}
		COMMENT "packing sql/${name}"
		VERBATIM)
	set(${out_sources} ${gen}/${name}_sql.h ${gen}/${name}_sql.c PARENT_SCOPE)
endfunction()

function(convro_add_module name)
	file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.c)
	convro_pack_sql(${name} packed)
	add_library(${name} MODULE ${sources} ${packed})
	set_target_properties(${name} PROPERTIES PREFIX "" LIBRARY_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/modules)
	target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_BINARY_DIR}/generated)
	if(NOT (CONVRO_SANITIZE AND CMAKE_C_COMPILER_ID MATCHES "Clang") AND NOT CONVRO_FUZZ)
		# No undefined symbol may be left: a module works through the table alone.
		target_link_options(${name} PRIVATE -Wl,-z,defs)
	endif()
	install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/convro/modules)
endfunction()
