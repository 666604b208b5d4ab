// SPDX-License-Identifier: Apache-2.0

/// A peer that can be started.
struct PeerRow {
    let peer: Peer
    let proxy: any Proxy

    var name: String { peer.rawValue }

    /// Those of the peers that are installed, and a note of each with what it runs.
    ///
    /// - Parameter envoy: where the command line says that Envoy is.
    static func find(
        _ peers: [Peer], envoy: String?, on testbed: Testbed, _ report: inout Report
    ) throws(BenchmarkFault) -> [PeerRow] {
        let pair = (testbed.folder.certificate, testbed.folder.privateKey)
        let secrets = try PeerSecrets(pair)
        var rows: [PeerRow] = []
        for peer in peers {
            if let mode = peer.mode {
                var gateway = testbed.gateway(mode)
                gateway.log = testbed.folder.file("access.log")
                // Of the other rows that only proxy none logs.
                gateway.logsRequests = mode != .plain
                rows.append(PeerRow(peer: peer, proxy: gateway))
                report.note("\(peer.rawValue): \(peer.chain)")
                continue
            }
            guard let path = peer.program.path(envoy: envoy) else {
                guard peer.program.isForeign else {
                    throw .failed("there is no `floor` beside this program: `swift build` makes it")
                }
                report.note("\(peer.rawValue): not installed")
                continue
            }
            let proxy = PeerProxy(
                peer: peer, program: path, certificate: pair.0, privateKey: pair.1,
                secrets: secrets)
            rows.append(PeerRow(peer: peer, proxy: proxy))
            let version =
                peer.program.isForeign ? " (\(try peer.program.version(path)))" : ""
            report.note("\(peer.rawValue)\(version): \(peer.chain)")
        }
        return rows
    }
}
