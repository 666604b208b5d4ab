// SPDX-License-Identifier: Apache-2.0
import Identity
import JSON

/// The judge as one would write it first: trees, strings and no haste.
enum Naive {
    static func believes(_ header: [UInt8], _ payload: [UInt8]) -> Bool {
        guard let header = object(header), let payload = object(payload),
            // What is longer than the fuzzer's inputs would have to be judged by length, too.
            header.count + payload.count < 5000
        else { return false }
        return isOurs(header.value) && isForUs(payload.value) && isNow(payload.value)
            && isNamed(payload.value["client_id"]) && isNamed(payload.value["sub"])
            && isScope(payload.value["scope"] ?? payload.value["scp"])
    }

    private static func object(_ bytes: [UInt8]) -> (value: JSONValue, count: Int)? {
        guard let value = try? JSONReader.read(bytes.span), value.object != nil,
            depth(value) <= ClaimScanner.depthMax, memberCount(value) <= ClaimScanner.membersMax
        else { return nil }
        return (value, bytes.count)
    }

    private static func isOurs(_ header: JSONValue) -> Bool {
        guard header["alg"]?.string == "EdDSA" else { return false }
        for name in ["crit", "jku", "jwk", "x5u", "x5c", "b64", "zip", "enc"]
        where header[name] != nil { return false }
        if let type = header["typ"] {
            guard let text = type.string?.lowercased(),
                ["jwt", "at+jwt", "application/at+jwt"].contains(text)
            else { return false }
        }
        guard let keyID = header["kid"] else { return true }
        return keyID.string == "a"
    }

    private static func isForUs(_ payload: JSONValue) -> Bool {
        guard payload["iss"]?.string == "https://idp.example", let audience = payload["aud"] else {
            return false
        }
        if audience.string == "agentport" { return true }
        return texts(audience)?.contains(Array("agentport".utf8)) ?? false
    }

    private static func isNow(_ payload: JSONValue) -> Bool {
        let names = ["exp", "nbf", "iat"]
        let dates = names.map { name in payload[name].map { date($0) } }
        // A member that is there and no date.
        if dates.contains(where: { $0 == .some(nil) }) { return false }
        guard let expires = dates[0] ?? nil, let begins = (dates[1] ?? dates[2]) ?? nil else {
            return false
        }
        return Desk.now < expires && begins <= Desk.now + 5
    }

    private static func date(_ value: JSONValue) -> UInt64? {
        guard let text = value.number?.text, !text.contains("-"), !text.lowercased().contains("e"),
            let whole = text.split(separator: ".").first, let seconds = UInt64(whole),
            seconds <= 253_402_300_799
        else { return nil }
        return seconds
    }

    private static func isNamed(_ value: JSONValue?) -> Bool {
        guard let text = value?.string else { return false }
        return !text.isEmpty && text.utf8.count <= 256 && !text.hasPrefix(" ")
            && !text.hasSuffix(" ") && text.utf8.allSatisfy { 0x20...0x7E ~= $0 }
    }

    private static func isScope(_ value: JSONValue?) -> Bool {
        guard let value else { return true }
        var scopes = texts(value)
        if let text = value.string {
            scopes =
                text.isEmpty
                ? []
                : text.utf8.split(separator: 0x20, omittingEmptySubsequences: false).map(Array.init)
        }
        guard let scopes else { return false }
        let isRight = scopes.allSatisfy { scope in
            !scope.isEmpty && scope.allSatisfy { 0x21...0x7E ~= $0 && $0 != 0x22 && $0 != 0x5C }
        }
        return isRight && scopes.count <= 64
            && scopes.reduce(0) { $0 + $1.count + 1 } <= 4096 + 1
    }

    // MARK: Trees

    static func texts(_ value: JSONValue) -> [[UInt8]]? {
        guard let items = value.array, items.count <= ClaimSet.itemsMax else { return nil }
        let texts = items.compactMap { $0.string.map { Array($0.utf8) } }
        return texts.count == items.count ? texts : nil
    }

    static func number(_ value: JSONValue) -> [UInt8]? { value.number.map { Array($0.text.utf8) } }

    static func depth(_ value: JSONValue) -> Int {
        switch value.content {
        case .array(let items): 1 + (items.map(depth).max() ?? 0)
        case .object(let members): 1 + (members.map { depth($0.value) }.max() ?? 0)
        default: 0
        }
    }

    static func memberCount(_ value: JSONValue) -> Int {
        switch value.content {
        case .array(let items): items.reduce(0) { $0 + memberCount($1) }
        case .object(let members):
            members.reduce(members.count) { $0 + memberCount($1.value) }
        default: 0
        }
    }
}
