// SPDX-License-Identifier: Apache-2.0

/// How much the gateway has to do with a request.
enum GatewayMode: String, CaseIterable {
    /// TLS and proxying alone.
    case plain
    /// The whole chain, a session in place of the code, the JWT signed once a minute.
    case session
    /// The whole chain, a code and a freshly signed JWT with each request.
    case totp

    /// Modes that the finished product has besides.
    static let notBuilt = ["inspect"]

    var meaning: String {
        switch self {
        case .plain: "TLS and proxying alone"
        case .session: "the whole chain with a session"
        case .totp: "the whole chain, a code and a fresh JWT with each request"
        }
    }

    /// - Parameter text: names with commas between them.
    static func list(_ text: String) throws(BenchmarkFault) -> [GatewayMode] {
        var modes: [GatewayMode] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            if notBuilt.contains(String(word)) {
                throw .usage("`--mode \(word)`: the gateway has no payload inspection yet")
            }
            guard let mode = GatewayMode(rawValue: String(word)) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage("`--mode \(word)` is none of \(known)")
            }
            if !modes.contains(mode) { modes.append(mode) }
        }
        return modes
    }
}
