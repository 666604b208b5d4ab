// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity
import Policy
import TLS

/// What lies in the secrets of one configuration, ready for use.
struct Secrets: Sendable {
    let keys: CredentialTable
    /// In the order of the configuration's agents: what is in agent n's file.
    private(set) var seeds: [TOTPSeed]
    let tls: TLSServerContext
    /// What is in the file `signing_key`, if there is one.
    let signingKey: SigningKey?
    /// PEM, by path: who vouches for upstreams.
    let authorities: [String: [UInt8]]
    /// Files that this start has made, for the log to name; never what is in them.
    let made: [MadeFile]

    struct MadeFile: Sendable, Equatable {
        /// As in `API key`.
        let content: String
        let path: String
    }

    enum Purpose {
        /// Nothing is written; what a start would make is no fault.
        case checking
        /// What is missing and may be made is made.
        case serving
    }

    enum Outcome {
        case loaded(Secrets, warnings: [ConfigurationFault])
        /// Every fault there is; at least one.
        case refused([ConfigurationFault], warnings: [ConfigurationFault])
    }

    /// To be kept: some seeds may not count, and none counts for ever.
    var withoutSeeds: Secrets {
        var secrets = self
        secrets.seeds = []
        return secrets
    }

    /// - Parameter previous: what is in use already, at a reload; its tickets stay good.
    static func load(
        _ configuration: Configuration, for purpose: Purpose,
        after previous: TLSServerContext? = nil
    ) -> Outcome {
        var loader = SecretsLoader(configuration, purpose, after: previous)
        // What may be made comes last, so that a start that fails leaves nothing behind.
        let tls = loader.loadTLS()
        let seeds = loader.loadSeeds()
        let keys = loader.loadKeys()
        let authorities = loader.loadAuthorities()
        let signing = loader.loadSigningKey()
        guard let tls, let keys, loader.faults.isEmpty else {
            return .refused(loader.faults, warnings: loader.warnings)
        }
        let secrets = Secrets(
            keys: keys, seeds: seeds, tls: tls, signingKey: signing,
            authorities: authorities, made: loader.made)
        return .loaded(secrets, warnings: loader.warnings)
    }
}

extension TOTPParameters {
    init(_ totp: Configuration.AgentTOTP) throws(IdentityError) {
        try self.init(
            algorithm: HMACAlgorithm(totp.algorithm), digits: totp.digits,
            periodSeconds: UInt64(clamping: totp.periodMilliseconds / 1000))
    }
}

extension HMACAlgorithm {
    init(_ algorithm: Configuration.TOTPAlgorithm) {
        self =
            switch algorithm {
            case .sha1: .sha1
            case .sha256: .sha256
            case .sha512: .sha512
            }
    }
}
