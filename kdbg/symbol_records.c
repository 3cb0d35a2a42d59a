/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kdbg/symbol_records.h"

#include <gelf.h>

static Elf_Scn *find_table(Elf *elf, bool dynamic, size_t *strings)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	while ((section = elf_nextscn(elf, section)))
		if (gelf_getshdr(section, &header) &&
		    header.sh_type == (dynamic ? SHT_DYNSYM : SHT_SYMTAB)) {
			*strings = header.sh_link;
			return section;
		}
	return NULL;
}

bool symbol_records_each(const struct module_file *file, bool dynamic,
			 bool (*each)(void *context,
				      const struct symbol_record *record),
			 void *context)
{
	size_t strings = 0;
	Elf_Scn *section =
		file ? find_table(file->elf, dynamic, &strings) : NULL;
	Elf_Data *data = section ? elf_getdata(section, NULL) : NULL;
	size_t count = data ? data->d_size / sizeof(Elf64_Sym) : 0;
	GElf_Sym symbol;

	for (size_t i = 1; i < count; i++) {
		if (!gelf_getsym(data, (int)i, &symbol))
			continue;
		const char *name =
			elf_strptr(file->elf, strings, symbol.st_name);
		const struct symbol_record record = {
			.index = (uint32_t)i,
			.name = name ? name : "",
			.value = symbol.st_value,
			.size = symbol.st_size,
			.type = GELF_ST_TYPE(symbol.st_info),
			.binding = GELF_ST_BIND(symbol.st_info),
			.other = GELF_ST_VISIBILITY(symbol.st_other),
			.section = symbol.st_shndx,
		};

		if (!each(context, &record))
			break;
	}
	return count != 0;
}
