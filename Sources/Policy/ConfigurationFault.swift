// SPDX-License-Identifier: Apache-2.0

import JSON

/// One thing that is wrong with the configuration, or doubtful, and where.
package struct ConfigurationFault: Error, Sendable, Equatable {
    package enum Place: Sendable, Equatable {
        case flag(String)
        case environment(String)
        case policy(file: String, position: TextPosition, pointer: JSONPointer)
        case file(String)
    }

    package let place: Place
    package let reason: String

    package init(_ place: Place, _ reason: String) {
        self.place = place
        self.reason = reason
    }
}

extension ConfigurationFault: CustomStringConvertible {
    /// `FILE:LINE:COL: /json/pointer: reason` for the policy (without a pointer where the fault
    /// is the whole document's), `NAME: reason` for the rest. Always one line.
    package var description: String {
        switch place {
        case .flag(let name), .environment(let name), .file(let name):
            Printable.escaped("\(name): \(reason)")
        case .policy(let file, let position, let pointer):
            Printable.escaped(
                "\(file):\(position): " + (pointer.description.isEmpty ? "" : "\(pointer): ")
                    + reason)
        }
    }
}

/// Text from a file or the environment on its way to a terminal or a log.
package enum Printable {
    private static let quotedMax = 80

    /// In backticks, cut where it is long.
    package static func quoted(_ text: String) -> String {
        let scalars = text.unicodeScalars
        guard scalars.count > quotedMax else { return "`\(text)`" }
        return "`\(String(String.UnicodeScalarView(scalars.prefix(quotedMax))))…`"
    }

    /// Controls and invisible characters as `\u{…}`, so that no name can act on a terminal or
    /// pretend to be a line of its own.
    package static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator:
                result.append("\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}")
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
