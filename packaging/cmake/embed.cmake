# SPDX-License-Identifier: Apache-2.0
# convro_embed(<target> <directory>): every file of the directory becomes, at build time, a constant
# array of the target: page/page.css of the module status is status_page_css[], status_page_css_len
# its bytes (a NUL follows).  Run with -P this file writes one such array.

if(CMAKE_SCRIPT_MODE_FILE)
	file(READ ${INPUT} bytes HEX)
	string(REGEX REPLACE "(................................)" "\\1\n\t" bytes "${bytes}")
	string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
	file(SIZE ${INPUT} size)
	file(WRITE ${OUTPUT}
		"/* made from ${NAME} */\n#include <stddef.h>\n\n"
		"extern const unsigned char ${SYMBOL}[];\nextern const size_t ${SYMBOL}_len;\n\n"
		"const unsigned char ${SYMBOL}[] = {\n\t${bytes}0 };\nconst size_t ${SYMBOL}_len = ${size};\n")
	return()
endif()

set(convro_embed_script ${CMAKE_CURRENT_LIST_FILE})

function(convro_embed target directory)
	file(GLOB inputs CONFIGURE_DEPENDS ${directory}/*)
	foreach(input ${inputs})
		get_filename_component(name ${input} NAME)
		string(MAKE_C_IDENTIFIER "${target}_${name}" symbol)
		set(output ${PROJECT_BINARY_DIR}/generated/${symbol}.c)
		add_custom_command(
			OUTPUT ${output}
			COMMAND ${CMAKE_COMMAND} -DINPUT=${input} -DOUTPUT=${output} -DSYMBOL=${symbol} -DNAME=${name}
				-P ${convro_embed_script}
			DEPENDS ${input} ${convro_embed_script}
			COMMENT "embedding ${name}"
			VERBATIM)
		target_sources(${target} PRIVATE ${output})
	endforeach()
endfunction()
