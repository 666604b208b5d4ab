// SPDX-License-Identifier: Apache-2.0

import Crypto
import Identity
import Reactor
import TLS

/// A private temporary folder with throw-away secrets, gone when the command ends.
struct DevFolder: Sendable {
    let path: String
    let key: String

    var secrets: String { path + "/secrets" }
    var state: String { path + "/state" }
    var certificate: String { secrets + "/tls_cert" }
    var seed: String { secrets + "/totp_seed" }
    /// Where the examples keep the code they used last, and the answer they got.
    var lastCode: String { path + "/code" }
    var lastAnswer: String { path + "/answer" }

    init() throws {
        path = try Files.makeTemporaryFolder(prefix: "agentport-dev")
        var random = RandomSource()
        key = APIKey.generate(&random)
        try Files.makeFolder(secrets, mode: 0o700)
        try Files.makeFolder(state, mode: 0o700)
        let pair = try SelfSignedCertificate(names: "DNS:localhost,IP:127.0.0.1")
        let seed = try TOTPSeed.generate(parameters: .standard)
        try write("tls_cert", pair.certificate)
        try write("tls_key", pair.key)
        try write("totp_seed", Array((seed.base32 + "\n").utf8))
        try write("api_key", Array((key + "\n").utf8))
    }

    private func write(_ name: String, _ bytes: [UInt8]) throws {
        try Files.replace("\(secrets)/\(name)", with: bytes, mode: 0o600)
    }

    func remove() {
        Files.removeFolder(path)
    }
}
