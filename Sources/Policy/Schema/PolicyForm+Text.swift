// SPDX-License-Identifier: Apache-2.0

import Bytes

/// Names, claims, paths, and what is told by its digits.
extension PolicyForm<String> {
    /// - Parameter expected: what is told where the text is none of these.
    private static func text(
        _ schema: ValueSchema, _ expected: String,
        _ isValid: @escaping @Sendable (String.UTF8View) -> Bool
    ) -> PolicyForm {
        PolicyForm(schema: schema, words: Expected.sentence(expected)) { draft, node in
            guard let text = draft.string(node) else { return nil }
            guard isValid(text.utf8) else {
                draft.fault(node, expected)
                return nil
            }
            return text
        }
    }

    /// The name of something that is told elsewhere.
    static var reference: PolicyForm {
        PolicyForm(schema: .string) { $0.string($1) }
    }

    static var name: PolicyForm {
        text(
            .text("[A-Za-z0-9][A-Za-z0-9._@-]{0,63}"),
            "must be 1 to 64 letters, digits, `.`, `_`, `@` and `-`, the first a letter or a digit"
        ) { text in
            (1...64).contains(text.count)
                && text.enumerated().allSatisfy {
                    $1.isLetter || $1.isDigit || $0 > 0 && "._@-".utf8.contains($1)
                }
        }
    }

    /// What goes into tokens and headers.
    static var claim: PolicyForm {
        text(
            .text("[!-~]([ -~]{0,254}[!-~])?"), Expected.claim, Expected.isClaim)
    }

    /// RFC 6749 §3.3: visible ASCII without `"` and `\`, since a space divides scopes.
    static var scope: PolicyForm {
        text(
            .text(#"[!#-\[\]-~]{1,128}"#),
            "must be 1 to 128 characters of visible ASCII without `\"` and `\\`"
        ) { text in
            (1...128).contains(text.count)
                && text.allSatisfy {
                    (0x21...0x7E).contains($0) && $0 != .quote && $0 != .backslash
                }
        }
    }

    /// What can stand in a request line as it is (RFC 9112 §3.2.1): a path and perhaps a query,
    /// never a fragment.
    static var healthPath: PolicyForm {
        text(
            .text("/[!-\"$-~]{0,\(Bounds.healthPathBytesMax - 1)}"),
            "must be `/` and at most \(Bounds.healthPathBytesMax - 1) more characters of "
                + "visible ASCII without `#`"
        ) { text in
            text.first == UInt8(ascii: "/") && text.count <= Bounds.healthPathBytesMax
                && text.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") }
        }
    }

    /// A path of a file; a relative one starts at the policy's folder.
    static var path: PolicyForm {
        PolicyForm(
            schema: .text("[^\\x00]+"), words: "A relative path starts at the policy's folder."
        ) { $0.path($1) }
    }

    static var method: PolicyForm {
        PolicyForm(schema: .text("[!#$%&'*+.^_`|~0-9A-Z-]{1,32}")) {
            draft, node in
            guard let text = draft.string(node) else { return nil }
            guard (1...32).contains(text.utf8.count), text.utf8.allSatisfy(\.isTokenCharacter)
            else {
                draft.fault(node, "must be a method, as in `POST`")
                return nil
            }
            // RFC 9110 §9.1: methods are case-sensitive, so `post` would never match.
            guard text.utf8.allSatisfy({ !$0.isLetter || $0.isUpper }) else {
                draft.fault(
                    node, "methods are case-sensitive; did you mean `\(text.uppercased())`?")
                return nil
            }
            return text
        }
    }
}

extension PolicyForm<[UInt8]> {
    /// Of a key: its SHA-256.
    static var keyHash: PolicyForm {
        PolicyForm(schema: .text("[0-9A-Fa-f]{64}")) { draft, node in
            guard let text = draft.string(node) else { return nil }
            guard text.utf8.count == 64, let hash = Hex.decode(Array(text.utf8).span) else {
                draft.fault(
                    node, "must be the 64 hexadecimal digits that `agentport hash-key` prints")
                return nil
            }
            return hash
        }
    }

    /// Of a certificate: the SHA-256 of its public key. 32 bytes are 44 digits, the last of them
    /// padding, and of the one before only four bits count (RFC 4648 §4).
    static var pin: PolicyForm {
        PolicyForm(
            schema: .text("[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="),
            words: "The SHA-256 of a SubjectPublicKeyInfo, in base64."
        ) { draft, node in
            guard let text = draft.string(node) else { return nil }
            guard text.utf8.count == 44, let pin = Base64URL.decodeStandard(Array(text.utf8).span),
                pin.count == 32
            else {
                draft.fault(node, "must be a SHA-256 in base64: 43 digits and `=`")
                return nil
            }
            return pin
        }
    }
}
