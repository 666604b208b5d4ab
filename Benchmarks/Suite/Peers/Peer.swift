// SPDX-License-Identifier: Apache-2.0

/// One row of the comparison: a program with what it has to do for a request.
package enum Peer: String, CaseIterable {
    case floor, nginx, haproxy, envoy, h2o
    case nginxFull = "nginx-full"
    case haproxyES256 = "haproxy-es256"
    case envoyES256 = "envoy-es256"
    case envoyES256Cached = "envoy-es256-cached"
    case agentportPlain = "agentport-plain"
    case agentportSession = "agentport-session"
    case agentportTOTP = "agentport-totp"

    package var program: PeerProgram {
        switch self {
        case .floor: .floor
        case .nginx, .nginxFull: .nginx
        case .haproxy, .haproxyES256: .haproxy
        case .envoy, .envoyES256, .envoyES256Cached: .envoy
        case .h2o: .h2o
        case .agentportPlain, .agentportSession, .agentportTOTP: .agentport
        }
    }

    /// All that is done with a request, in a line.
    package var chain: String {
        switch self {
        case .floor: "TLS, a pooled connection, bytes copied; parses next to nothing, no log"
        case .nginx, .haproxy, .envoy, .h2o: "TLS and proxying, no log"
        case .nginxFull: "TLS, proxying, request limit by address, request id, JSON log"
        case .haproxyES256:
            "TLS, proxying, ES256 bearer token verified each time with alg, iss, aud, exp, "
                + "rate by address, request id, JSON log"
        case .envoyES256:
            "TLS, proxying, ES256 bearer token verified each time with iss, aud, exp, nbf, "
                + "rate limit, request id, JSON log"
        case .envoyES256Cached:
            "as envoy-es256, with its cache of verified tokens, which 64 tokens fill"
        case .agentportPlain: "TLS, proxying, request id, no log"
        case .agentportSession:
            "TLS, proxying, rates by address and by agent, API key, session, "
                + "ES256 token for the upstream signed once a minute, request id, JSON log"
        case .agentportTOTP:
            "TLS, proxying, rates by address and by agent, API key, TOTP code (good for all "
                + "requests of its step), ES256 token for the upstream signed each time, "
                + "request id, JSON log"
        }
    }

    /// Whether it only terminates TLS and proxies. Connections and processes are measured with
    /// these alone: what is done with a request has no part in them.
    var isPlain: Bool {
        switch self {
        case .floor, .nginx, .haproxy, .envoy, .h2o, .agentportPlain: true
        case .nginxFull, .haproxyES256, .envoyES256, .envoyES256Cached, .agentportSession,
            .agentportTOTP:
            false
        }
    }

    /// The gateway's mode, of its rows.
    var mode: GatewayMode? {
        switch self {
        case .agentportPlain: .plain
        case .agentportSession: .session
        case .agentportTOTP: .totp
        default: nil
        }
    }

    /// In Benchmarks/Peers, without `.in`; nothing where no configuration is read.
    package var configuration: String {
        switch self {
        case .nginx: "nginx.conf"
        case .nginxFull: "nginx-full.conf"
        case .haproxy: "haproxy.cfg"
        case .haproxyES256: "haproxy-es256.cfg"
        case .envoy: "envoy.yaml"
        case .envoyES256, .envoyES256Cached: "envoy-es256.yaml"
        case .h2o: "h2o.conf"
        case .floor, .agentportPlain, .agentportSession, .agentportTOTP: ""
        }
    }

    /// Whether a request has to bring a bearer token.
    var takesBearer: Bool {
        switch self {
        case .haproxyES256, .envoyES256, .envoyES256Cached: true
        default: false
        }
    }

    /// - Parameter text: names with commas between them.
    package static func list(_ text: String) throws(BenchmarkFault) -> [Peer] {
        var peers: [Peer] = []
        for word in text.split(separator: ",", omittingEmptySubsequences: false) {
            guard let peer = Peer(rawValue: String(word)) else {
                let known = allCases.map(\.rawValue).joined(separator: ", ")
                throw .usage("`--peers`: `\(word)` is none of \(known)")
            }
            if !peers.contains(peer) { peers.append(peer) }
        }
        return peers
    }
}
