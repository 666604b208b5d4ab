// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Gateway
import Policy
import Reactor

/// What admin calls are let in with: given as a secret, or made at the first start and kept in the
/// state directory. Of it the SHA-256 alone is held.
final class AdminToken {
    /// 128 bits, in base64url.
    private static let openCharactersMin = 22
    private static let charactersMin = 8

    private(set) var digest: SHA256Digest?
    /// Whether more than this machine can reach the listener.
    private var isOpen = false
    private(set) var made: [Secrets.MadeFile] = []

    static func madePath(_ configuration: Configuration) -> String? {
        configuration.stateDirectory.map { $0 + "/admin_token" }
    }

    /// - Parameter isOpen: whether more than this machine can reach the listener.
    func prepare(_ configuration: Configuration, isOpen: Bool) throws {
        self.isOpen = isOpen
        guard let path = try path(configuration) else {
            guard !isOpen else {
                throw StartFault(
                    reason: "the admin listener is not on loopback, so it needs an admin_token "
                        + "secret, or a writable state directory to keep one in")
            }
            return
        }
        digest = try read(path)
    }

    /// The secret's path; where there is none, that of the one that was made, or is made now.
    private func path(_ configuration: Configuration) throws -> String? {
        if let path = configuration.adminTokenPath { return path }
        guard let path = Self.madePath(configuration) else { return nil }
        if !KeptFile.isThere(path) {
            var random = RandomSource()
            do throws(KeptFile.Fault) {
                made.append(
                    try KeptFile.make(
                        path, content: "admin token",
                        text: Base64URL.encode(random.bytes32().span)))
            } catch {
                throw StartFault(reason: "\(path): \(error.reason)")
            }
        }
        return path
    }

    /// Takes a token that was replaced; one that cannot be read changes nothing.
    ///
    /// - Returns: why it cannot.
    func reload(_ configuration: Configuration) -> String? {
        guard let path = configuration.adminTokenPath ?? Self.madePath(configuration) else {
            return nil
        }
        do {
            digest = try read(path)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func isVisible(_ text: Span<UInt8>) -> Bool {
        for index in text.indices where text[index] <= .space || text[index] >= 0x7F {
            return false
        }
        return true
    }

    private func read(_ path: String) throws -> SHA256Digest {
        let content: SecretBytes
        do throws(FileFault) {
            content = try SecretFile.read(path)
        } catch {
            throw StartFault(reason: "\(path): \(error)")
        }
        let range = content.trimmed
        let least = isOpen ? Self.openCharactersMin : Self.charactersMin
        guard range.count >= least else {
            throw StartFault(
                reason: "\(path): the admin token has fewer than \(least) characters"
                    + (!isOpen
                        ? "" : ", and the admin listener is not on loopback: 128 bits are needed"))
        }
        guard Self.isVisible(content.span.extracting(range)) else {
            throw StartFault(
                reason: "\(path): the admin token has characters other than visible ones of ASCII, "
                    + "which no header can carry")
        }
        do throws(CryptoError) {
            var hasher = try Hasher256()
            return hasher.digest(content.span.extracting(range))
        } catch {
            throw StartFault(reason: "\(path): the cryptographic library refused")
        }
    }
}
