// SPDX-License-Identifier: Apache-2.0

import Bytes

/// What a token allows, which issuers write in several ways.
enum TokenScopes {
    static let scopesMax = 64
    static let countMax = 4 * 1024

    /// The scopes joined by spaces.
    ///
    /// `scope` is a text with spaces between them (RFC 8693 §4.2, RFC 9068 §2.2.3); some issuers
    /// write a list, and some call it `scp`, which counts only where there is no `scope`.
    static func joined(_ claims: ClaimSet) throws(AccessTokenFault) -> String {
        for name in ["scope", "scp"] where claims.has(name) {
            guard let scopes = list(name, claims), scopes.count <= scopesMax,
                scopes.allSatisfy(isToken)
            else { throw .scope }
            let text = Array(scopes.joined(separator: [UInt8.space]))
            guard text.count <= countMax else { throw .scope }
            return String(decoding: text, as: UTF8.self)
        }
        return ""
    }

    private static func list(_ name: String, _ claims: ClaimSet) -> [[UInt8]]? {
        guard let text = claims.bytes(name) else { return claims.texts(name) }
        // The grammar has no empty text, but issuers write one where nothing was asked for.
        if text.isEmpty { return [] }
        return text.split(
            separator: .space, maxSplits: scopesMax, omittingEmptySubsequences: false
        ).map { Array($0) }
    }

    /// scope-token of RFC 6749 §3.3.
    private static func isToken(_ scope: [UInt8]) -> Bool {
        !scope.isEmpty
            && scope.allSatisfy {
                $0 > .space && $0 < 0x7F && $0 != .quote && $0 != .backslash
            }
    }
}
