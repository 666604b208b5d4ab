// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Testing

@Suite("API keys")
struct CredentialTableTests {
    static func digest(_ key: String) throws -> SHA256Digest { try sha256(Array(key.utf8)) }

    @Test(arguments: [0, 1, 2, 3, 17, 1000])
    func eachIsFoundAndNothingElse(count: Int) throws {
        let entries = try (0..<count).map {
            CredentialTable.Entry(digest: try Self.digest("key \($0)"), agent: $0 / 2)
        }
        let keys = try CredentialTable(entries)
        #expect(keys.count == count)
        for number in 0..<count {
            let found = try keys.find(Self.digest("key \(number)"))
            #expect(found == number / 2)
        }
        for number in 0..<100 {
            let found = try keys.find(Self.digest("other \(number)"))
            #expect(found == nil)
        }
        for decoy in [SHA256Digest(0, 0, 0, 0), SHA256Digest(.max, .max, .max, .max)] {
            let found = keys.find(decoy)
            #expect(found == nil)
        }
    }

    @Test func onlyTheWholeDigestCounts() throws {
        let digest = try Self.digest("key")
        let near = [
            SHA256Digest(digest.word0, digest.word1, digest.word2, digest.word3 ^ 1),
            SHA256Digest(digest.word0, digest.word1 ^ 1, digest.word2, digest.word3),
        ]
        // Two keys may share their first word; each is found as itself.
        let keys = try CredentialTable([
            CredentialTable.Entry(digest: near[0], agent: 1),
            CredentialTable.Entry(digest: near[1], agent: 2),
        ])
        #expect(keys.find(digest) == nil)
        #expect(keys.find(near[0]) == 1)
        #expect(keys.find(near[1]) == 2)
    }

    @Test func oneKeyForTwoIsRefused() throws {
        let digest = try Self.digest("key")
        #expect(throws: IdentityError.keyUsedTwice) {
            _ = try CredentialTable([
                CredentialTable.Entry(digest: digest, agent: 0),
                CredentialTable.Entry(digest: digest, agent: 1),
            ])
        }
    }

    @Test func newKeys() {
        var random = RandomSource()
        let keys = (0..<100).map { _ in APIKey.generate(&random) }
        #expect(Set(keys).count == 100)
        for key in keys {
            #expect(key.hasPrefix("ap_"))
            #expect(key.utf8.count == 46)
            #expect(key.utf8.allSatisfy { $0.isTokenCharacter }, "fits a header as it is")
        }
    }
}
