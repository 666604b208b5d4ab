// SPDX-License-Identifier: Apache-2.0
import Bytes
import Crypto
import Identity
import JSON

/// Tokens and key sets from hostile bytes. The first byte chooses what the rest is: a key set, the
/// JSON of a token, header and payload with a line end between them, rightly signed, or a whole
/// token.
///
/// A trap is a finding, and so is whatever a slow and simple judge sees in another way.
@c(LLVMFuzzerTestOneInput)
public func fuzzToken(_ data: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    // SAFETY: libFuzzer gives `count` readable bytes for the length of the call.
    let input = unsafe Array(UnsafeBufferPointer(start: data, count: count))
    guard let first = input.first else { return 0 }
    let bytes = Array(input.dropFirst())
    switch first & 3 {
    case 0: checkKeySet(bytes)
    case 1: checkClaims(bytes)
    case 2: checkSigned(bytes)
    default: unsafe precondition(!desk.isBelieved(bytes), "nobody has the key")
    }
    return 0
}

// MARK: Key sets

private func checkKeySet(_ bytes: [UInt8]) {
    let items = (try? JSONReader.read(bytes.span))?["keys"]?.array
    guard let set = try? JSONWebKeySet(bytes.span) else {
        precondition(items == nil)
        return
    }
    precondition(set.keys.count + set.leftOut == items?.count)
    // Published by us, they are read again as what they are.
    guard let jwks = try? JWKS(keys: set.keys.map { try PublicJWK($0.key.members, $0.algorithm) }),
        let again = try? JSONWebKeySet(jwks.document.span)
    else { preconditionFailure("keys that cannot be published") }
    for key in set.keys {
        precondition(
            again.keys.contains {
                $0.algorithm == key.algorithm && $0.key.members == key.key.members
            })
        precondition((try? set.key(key.keyID, key.algorithm)) != nil || key.keyID == nil)
    }
}

extension PublicJWK {
    fileprivate init(_ members: PublicMembers, _ algorithm: SignatureAlgorithm) throws {
        try self.init(members, algorithm: algorithm)
    }
}

// MARK: Claims

private func checkClaims(_ bytes: [UInt8]) {
    let claims = ClaimSet(bytes)
    guard let tree = try? JSONReader.read(bytes.span), let members = tree.object,
        Naive.depth(tree) <= ClaimScanner.depthMax,
        Naive.memberCount(tree) <= ClaimScanner.membersMax
    else {
        precondition(claims == nil)
        return
    }
    guard let claims else { preconditionFailure("an object that is refused") }
    for member in members {
        precondition(claims.has(member.name))
        precondition(claims.bytes(member.name) == member.value.string.map { Array($0.utf8) })
        precondition(claims.number(member.name).map(Array.init) == Naive.number(member.value))
        precondition(claims.texts(member.name) == Naive.texts(member.value))
    }
}

// MARK: Tokens

private func checkSigned(_ bytes: [UInt8]) {
    guard let end = bytes.firstIndex(of: .lineFeed) else { return }
    let header = Array(bytes[..<end])
    let payload = Array(bytes[(end + 1)...])
    let isBelieved = unsafe desk.isBelieved(desk.token(header, payload))
    precondition(isBelieved == Naive.believes(header, payload))
}

// libFuzzer calls from one thread.
private nonisolated(unsafe) let desk = Desk()
