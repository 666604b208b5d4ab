// SPDX-License-Identifier: Apache-2.0

/// The path to one value of a document (RFC 6901), as text; empty for the whole document.
package struct JSONPointer: Sendable, Equatable, CustomStringConvertible {
    package private(set) var description: String

    package init() {
        description = ""
    }

    package func appending(_ name: String) -> JSONPointer {
        var pointer = self
        pointer.description.append("/")
        for scalar in name.unicodeScalars {
            switch scalar {
            // RFC 6901 §3: `~` and `/` would otherwise end or begin a token.
            case "~": pointer.description.append("~0")
            case "/": pointer.description.append("~1")
            default: pointer.description.unicodeScalars.append(scalar)
            }
        }
        return pointer
    }

    package func appending(_ index: Int) -> JSONPointer {
        appending(String(index))
    }
}
