// SPDX-License-Identifier: Apache-2.0

/// Passes what came over TLS. The inspecting itself (plaintext told from TLS, SNI, ALPN and
/// versions read) is done once a connection, before there is a request; in the chain the filter
/// says where it stands.
struct TLSInspectorFilter {
    func judge(_ facts: inout RequestFacts) -> Verdict { .pass }
}
