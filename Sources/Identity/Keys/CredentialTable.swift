// SPDX-License-Identifier: Apache-2.0

import Crypto

/// The agents' API keys, or the public keys of their certificates, held as their SHA-256 alone.
package struct CredentialTable: Sendable {
    package struct Entry: Hashable, Sendable {
        package let digest: SHA256Digest
        /// The agent's number in the configuration.
        package let agent: Int

        package init(digest: SHA256Digest, agent: Int) {
            self.digest = digest
            self.agent = agent
        }
    }

    /// Invariant: sorted by the digests' first words, which are as good as random.
    package let entries: [Entry]

    package init(_ entries: [Entry]) throws(IdentityError) {
        self.entries = entries.sorted { $0.digest.word0 < $1.digest.word0 }
        for index in self.entries.indices.dropFirst() {
            guard self.entries[index].digest != self.entries[index - 1].digest else {
                throw .keyUsedTwice
            }
        }
    }

    private init(sorted entries: [Entry]) {
        self.entries = entries
    }

    /// The same keys, with other numbers for their agents.
    package func map(_ renumber: (Entry) -> Entry) -> CredentialTable {
        CredentialTable(sorted: entries.map(renumber))
    }

    package var count: Int { entries.count }

    /// Whose key this is the digest of.
    ///
    /// The walk depends on the digest's first word, which a caller cannot steer towards a key it
    /// does not have; whether the candidate is the one is decided in constant time, and where
    /// there is no candidate a decoy is compared.
    package func find(_ digest: SHA256Digest) -> Int? {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].digest.word0 < digest.word0 {
                low = middle + 1
            } else {
                high = middle
            }
        }
        repeat {
            let isInside = low < entries.count
            let candidate = isInside ? entries[low].digest : SHA256Digest(0, 0, 0, 0)
            if candidate.matches(digest), isInside { return entries[low].agent }
            low += 1
        } while low < entries.count && entries[low].digest.word0 == digest.word0
        return nil
    }
}
