// SPDX-License-Identifier: Apache-2.0

import Bytes

/// The path of a route. It is compared with the normalised one of a request, so one that is not
/// normal itself could never match.
extension PolicyForm<String> {
    static var routePath: PolicyForm {
        PolicyForm(
            schema: ValueSchema.text(
                "/([\(RoutePath.characters)]+/)*[\(RoutePath.characters)]*",
                lengthMax: RoutePath.bytesMax
            ).butNot(
                .anyOf([
                    ValueSchema.any.matching("/\\.{1,2}(/|$)"),
                    .pattern("/\\.well-known/jwks\\.json"),
                    ValueSchema.any.matching("^/\\.agentport/"),
                ])),
            words:
                "It begins with `/` and is written as a request is normalised, without `//`, `.`, "
                + "`..` and percent-encoding."
        ) { draft, node in
            guard let text = draft.string(node) else { return nil }
            if let reason = RoutePath.fault(of: text) {
                draft.fault(node, reason)
                return nil
            }
            return text
        }
    }
}

private enum RoutePath {
    static let bytesMax = 1024
    /// `pchar` of RFC 3986 §3.3 without percent-encoding, as a class of a regular expression.
    static let characters = "A-Za-z0-9._~!$&'()*+,;=:@-"

    static func fault(of path: String) -> String? {
        guard path.utf8.first == UInt8(ascii: "/") else { return "a path begins with `/`" }
        guard path.utf8.count <= bytesMax else {
            return "a path is at most \(bytesMax) bytes long"
        }
        let isPathCharacter = { (byte: UInt8) in
            byte.isLetter || byte.isDigit || "/-._~!$&'()*+,;=:@".utf8.contains(byte)
        }
        if let bad = path.unicodeScalars.first(where: {
            !$0.isASCII || !isPathCharacter(UInt8($0.value))
        }) {
            return "\(Printable.quoted(String(Character(bad)))) is not allowed in a route's path"
        }
        let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        if segments.dropLast().contains("") || segments.contains(".") || segments.contains("..") {
            return "this route can never match: requests are normalised, so write the path "
                + "without `//`, `.` and `..`"
        }
        if path == "/.well-known/jwks.json" || path.hasPrefix("/.agentport/") {
            return "this route can never match: the gateway answers here itself"
        }
        return nil
    }
}
