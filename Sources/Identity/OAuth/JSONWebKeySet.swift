// SPDX-License-Identifier: Apache-2.0

import Crypto
import JSON

/// Why a document is no key set.
package enum JSONWebKeySetFault: Error, Equatable, Sendable {
    case tooLong
    case malformed(JSONFault)
    /// JSON, but no object with an array `keys`.
    case noKeySet

    /// For a log: nothing of the document's own words.
    package var reason: String {
        switch self {
        case .tooLong: "larger than \(JSONWebKeySet.documentCountMax) bytes"
        case .malformed(let fault): "no JSON: \(fault.reason) at byte \(fault.offset)"
        case .noKeySet: "JSON, but no key set"
        }
    }
}

/// The keys that an issuer signs with (RFC 7517 §5), as far as they verify signatures here.
package struct JSONWebKeySet: Sendable {
    package static let documentCountMax = 256 * 1024
    /// Those behind them are left out.
    package static let keysMax = 64
    /// So many are looked at, whatever they are.
    package static let itemsMax = 256

    package let keys: [JSONWebKey]
    /// Keys of the document that are of no use here.
    package let leftOut: Int

    /// A set that believes nothing, until another has come.
    package init() {
        keys = []
        leftOut = 0
    }

    package init(_ document: Span<UInt8>) throws(JSONWebKeySetFault) {
        guard document.count <= Self.documentCountMax else { throw .tooLong }
        let value: JSONValue
        do throws(JSONFault) {
            value = try JSONReader.read(document)
        } catch {
            throw .malformed(error)
        }
        guard let items = value["keys"]?.array else { throw .noKeySet }
        // What is unknown is left out one by one (RFC 7517 §5): issuers publish keys for others,
        // too.
        var found: [JSONWebKey] = []
        for item in items.prefix(Self.itemsMax) where found.count < Self.keysMax {
            if let key = JSONWebKey(item) { found.append(key) }
        }
        keys = Self.distinct(found)
        leftOut = items.count - keys.count
    }

    /// A `kid` that names two keys of one algorithm names neither.
    ///
    /// RFC 7517 §4.5 lets the same `kid` stand for keys of different kinds, and those are told
    /// apart by the algorithm. Trying one key after the other would make a stranger's token cost
    /// several checks of a signature, and to take the first or the last would leave the order of
    /// a document to say whom to believe. The same key given twice is one key.
    private static func distinct(_ keys: [JSONWebKey]) -> [JSONWebKey] {
        var kept: [JSONWebKey] = []
        for (index, key) in keys.enumerated() {
            let namesakes = keys.enumerated().filter { other in
                other.element.algorithm == key.algorithm && other.element.keyID == key.keyID
            }
            let isAmbiguous =
                key.keyID != nil
                && namesakes.contains { $0.element.key.members != key.key.members }
            let isRepeated = namesakes.contains {
                $0.offset < index && $0.element.key.members == key.key.members
            }
            if !isAmbiguous, !isRepeated { kept.append(key) }
        }
        return kept
    }

    /// The key that a token's header names.
    ///
    /// - Parameter keyID: without one a key is found where it is the only one of its algorithm.
    package func key(
        _ keyID: [UInt8]?, _ algorithm: SignatureAlgorithm
    ) throws(AccessTokenFault) -> JSONWebKey {
        let namesakes = keyID == nil ? keys : keys.filter { $0.keyID == keyID }
        let candidates = namesakes.filter { $0.algorithm == algorithm }
        guard candidates.count < 2 else { throw .ambiguousKey }
        if let key = candidates.first { return key }
        // A known name with another algorithm is no reason to ask the issuer for new keys.
        guard keyID == nil || namesakes.isEmpty else { throw .algorithm }
        throw .unknownKey(keyID.map { String(decoding: $0, as: UTF8.self) })
    }
}

extension JSONWebKeySet: Equatable {
    /// Whether both believe the same: a set that was fetched anew and is equal to the old one
    /// needs no new version.
    package static func == (left: JSONWebKeySet, right: JSONWebKeySet) -> Bool {
        left.keys == right.keys
    }
}
