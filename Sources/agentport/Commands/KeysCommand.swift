// SPDX-License-Identifier: Apache-2.0

import Identity
import Policy
import Reactor

extension Command {
    static let keysExport = Command(
        words: ["keys", "export"],
        summary: "prints the key set that verifies tokens, for verifiers that pin a file",
        flags: Flag.settings,
        notes: """
            It reads what the gateway keeps in its state directory, and the secret `signing_key`:
            run it where the gateway runs, as its user. There is no private key in it.

            example:
              agentport keys export > jwks.json
            """
    ) { arguments throws(CommandFailure) in
        try KeysCommand.export(flags: arguments.settings)
    }
}

enum KeysCommand {
    static func export(flags: [EnvironmentVariable: String]) throws(CommandFailure) -> Int32 {
        let outcome = ConfigurationLoader.load(
            environment: Process.environment(), flags: flags, files: DiskFiles())
        guard case .valid(let configuration, _) = outcome else {
            throw .failed("the configuration is not valid: `agentport check` says why")
        }
        do {
            let now = Moment.ofStart()
            let kept = try Custody.open(configuration, for: .checking, at: now).state
            guard case .loaded(let secrets, _) = Secrets.load(configuration, for: .checking) else {
                throw CommandFailure.failed("secrets: `agentport check` says why")
            }
            // What the gateway would come to if it were started now.
            let isKnown = kept.keys != nil || secrets.signingKey != nil
            guard isKnown,
                let ring = Settlement(kept, configuration, secrets, now: now).state.keys
            else {
                throw CommandFailure.failed(
                    "there is no signing key yet: one is made when the gateway starts")
            }
            let keys = try ring.published.map { key throws in try PublicJWK(key) }
            let document = try JWKS(keys: keys).document
            return Console.show(String(decoding: document, as: UTF8.self) + "\n")
        } catch let failure as CommandFailure {
            throw failure
        } catch {
            throw .failed("\(error)")
        }
    }
}
