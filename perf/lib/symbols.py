# SPDX-License-Identifier: Apache-2.0
"""Names of symbols as a person reads them."""

import re
import shutil
import subprocess

MANGLED = re.compile(r"\$s\w+")


def demangled(names):
    """What each name stands for; names that are not Swift's, or all where there is no `swift`,
    stand for themselves."""
    names = list(dict.fromkeys(names))
    swift = shutil.which("swift")
    if not swift or not any(MANGLED.search(name) for name in names):
        return {name: name for name in names}
    result = subprocess.run([swift, "demangle", "--simplified"], input="\n".join(names) + "\n",
                            capture_output=True, text=True, check=True)
    return dict(zip(names, result.stdout.splitlines()))


def readable(functions):
    """A name for each function, with its library."""
    names = demangled(function.name for function in functions)
    return {function: f"{shortened(names[function.name], 100)} [{function.library}]"
            for function in functions}


def shortened(name, width):
    return name if len(name) <= width else name[:width - 1] + "…"


def library(path):
    """`libcrypto` for `/usr/lib/x86_64-linux-gnu/libcrypto.so.3`."""
    name = path.rsplit("/", 1)[-1]
    return name.split(".so")[0] if name.startswith(("lib", "ld")) else name
