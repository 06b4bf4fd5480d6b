# SPDX-License-Identifier: Apache-2.0
"""The public structs and constants for ctypes, read off the headers: python/pladis/_structs.py, and a C program that prints where fields lie.

usage: python_structs.py INCLUDE_FOLDER          writes the Python module to standard output
       python_structs.py INCLUDE_FOLDER --check  writes the C program that prints sizes and places as JSON
"""
import re
import sys

HEADERS = ["status", "parallel", "attention", "attention_maps", "guidance", "profile", "scoring", "pladis", "options", "metadata"]
SCALARS = {"size_t": "c_size_t", "bool": "c_bool", "int": "c_int", "float": "c_float", "double": "c_double", "char": "c_char",
           "int32_t": "c_int32", "int64_t": "c_int64", "uint8_t": "c_uint8", "uint64_t": "c_uint64"}


def clean(text):
    """Without comments, preprocessor lines and the C++ bracket."""
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    text = re.sub(r"//[^\n]*", " ", text)
    text = re.sub(r"\\\n", " ", text)
    text = re.sub(r"(?m)^[ \t]*#[^\n]*", " ", text)
    return text.replace('extern "C" {', " ")


def number(text, known):
    """A constant of an enumeration."""
    return int(eval(text, {"__builtins__": {}}, known))  # sums of constants of these headers, nothing else


def enumerations(text, known):
    for body, name in re.findall(r"enum\s*\w*\s*\{([^}]*)\}\s*(\w*)", text):
        value = -1
        for item in filter(None, (part.strip() for part in body.split(","))):
            key, _, given = item.partition("=")
            if not key.strip().isidentifier(): # the list of codes, which is read by itself
                continue
            value = number(given, known) if given else value + 1
            known[key.strip()] = value
        if name:
            known.setdefault("enums", set()).add(name)


def statuses(text, known):
    """The one list of codes is a macro."""
    for name, value in re.findall(r"X\((PLD_\w+), (\d+), \"", text):
        known[name] = int(value)


class Field:
    def __init__(self, name, kind, length=None):
        self.name, self.kind, self.length = name, kind, length

    def python(self):
        return f"{self.kind} * {self.length}" if self.length else self.kind


def pointer_kind(base):
    if base == "char":
        return "c_char_p"
    return f"POINTER({SCALARS[base]})" if base in SCALARS else "c_void_p"


def fields_of(body, known):
    fields = []
    for statement in filter(None, (part.strip() for part in body.split(";"))):
        function = re.match(r"[\w\s*]+\(\s*\*\s*(\w+)\s*\)\s*\(.*\)$", statement, flags=re.S)
        if function:
            fields.append(Field(function.group(1), "c_void_p"))
            continue
        statement = re.sub(r"\b(const|volatile|struct)\b", " ", statement)
        match = re.match(r"\s*(\w+)\s*(.*)$", statement, flags=re.S)
        base, rest = match.group(1), match.group(2)
        for item in rest.split(","):
            stars, name, arrays = re.match(r"\s*([\s*]*)(\w+)\s*((?:\[[^\]]*\]\s*)*)$", item, flags=re.S).groups()
            depth = stars.count("*")
            named = "c_int" if base in known["enums"] else "c_void_p" if base in known["functions"] else base
            kind = (SCALARS.get(base) or named) if depth == 0 else \
                pointer_kind(base) if depth == 1 else "POINTER(c_char_p)" if base == "char" else "POINTER(c_void_p)"
            lengths = [number(text, known) for text in re.findall(r"\[([^\]]*)\]", arrays)]
            for length in reversed(lengths[1:]):
                kind = f"({kind} * {length})"
            fields.append(Field(name, kind, lengths[0] if lengths else None))
    return fields


def read(folder):
    known, structs = {"enums": set(), "functions": set()}, []
    for header in HEADERS:
        with open(f"{folder}/pladis/{header}.h") as file:
            raw = file.read()
        statuses(raw, known)
        text = clean(raw)
        enumerations(text, known)
        known["functions"] |= set(re.findall(r"typedef [\w\s*]+\(\s*\*\s*(pld_\w+)\s*\)", text))
        for name, body in re.findall(r"typedef struct (pld_\w+) \{([^{}]*)\} \1;", text):
            structs.append((name, fields_of(body, known)))
    known["enums"].add("pld_status")
    return {name: value for name, value in known.items() if name.startswith("PLD_")}, structs


def write_python(constants, structs):
    print('# SPDX-License-Identifier: Apache-2.0\n"""Structs and constants of the public headers, made by tools/python_structs.py; change those."""')
    print("from ctypes import (POINTER, Structure, c_bool, c_char, c_char_p, c_double, c_float, c_int, c_int32, c_int64, c_size_t, c_uint8, c_uint64,"
          "\n                    c_void_p)\n")
    for name, value in constants.items():
        print(f"{name} = {value}")
    for name, fields in structs:
        print(f"\n\nclass {name}(Structure):\n    _fields_ = [")
        for field in fields:
            print(f'        ("{field.name}", {field.python()}),')
        print("    ]")


def write_check(structs):
    print("/* Where the fields of public structs lie, as JSON. */\n#include <stddef.h>\n#include <stdio.h>\n")
    for header in HEADERS:
        print(f"#include <pladis/{header}.h>")
    print('\nint main(void) {\n    printf("{");')
    for index, (name, fields) in enumerate(structs):
        print(f'    printf("{"," if index else ""}\\"{name}\\":{{\\"\\":%zu", sizeof({name}));')
        for field in fields:
            print(f'    printf(",\\"{field.name}\\":%zu", offsetof({name}, {field.name}));')
        print('    printf("}");')
    print('    printf("}\\n");\n    return 0;\n}')


constants_found, structs_found = read(sys.argv[1])
if "--check" in sys.argv:
    write_check(structs_found)
else:
    write_python(constants_found, structs_found)
