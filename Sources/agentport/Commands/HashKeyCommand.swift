// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import Identity
import Policy
import Reactor

extension Command {
    static let hashKey = Command(
        words: ["hash-key"],
        summary: "makes an API key, or hashes one, for the policy's `api_key_sha256`",
        notes: """
            Prints a new key and its SHA-256; the key is kept nowhere, so give it to the agent now.
            With a key on standard input, prints only the SHA-256 of that (without its line end).

            examples:
              agentport hash-key
              agentport hash-key < api_key
            """
    ) { _ throws(CommandFailure) in
        try HashKeyCommand.run()
    }
}

enum HashKeyCommand {
    static func run() throws(CommandFailure) -> Int32 {
        if !Terminal.isInput {
            let given = try read()
            let key = given.span.extracting(0..<endOfLine(given))
            if !key.isEmpty {
                if key.count < SecretsLoader.keyBytesMin {
                    Console.complain(
                        "warning: a key of fewer than \(SecretsLoader.keyBytesMin) characters can "
                            + "be guessed")
                }
                return Console.show(try digest(key).hex + "\n")
            }
        }
        var random = RandomSource()
        let key = APIKey.generate(&random)
        let digest = try digest(Array(key.utf8).span)
        return Console.show("key     \(key)\nsha256  \(digest.hex)\n")
    }

    private static func read() throws(CommandFailure) -> SecretBytes {
        do {
            return try SecretFile.readStandardInput()
        } catch {
            throw .failed("standard input: \(error)")
        }
    }

    /// Where the last line's end begins.
    private static func endOfLine(_ text: SecretBytes) -> Int {
        let bytes = text.span
        var end = bytes.count
        while end > 0, bytes[end - 1] == .lineFeed || bytes[end - 1] == .carriageReturn { end -= 1 }
        return end
    }

    private static func digest(_ key: Span<UInt8>) throws(CommandFailure) -> SHA256Digest {
        do {
            var hasher = try Hasher256()
            return hasher.digest(key)
        } catch {
            throw .failed(IdentityError.cryptography.description)
        }
    }
}
