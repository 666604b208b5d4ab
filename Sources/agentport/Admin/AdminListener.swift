// SPDX-License-Identifier: Apache-2.0

import Admin
import Bytes
import Control
import Gateway
import Policy
import Reactor
import TLS
import Telemetry

/// Puts the admin listener on the control loop, where the configuration says so.
struct AdminListener {
    private static let kind: UInt8 = 10

    let gateway: Gateway
    let desk: AdminDesk
    let control: ControlLoop

    func start(_ configuration: Configuration) throws {
        let place: SocketAddress
        var isOurs: (String) -> Bool = { _ in true }
        var isLoopback = true
        switch configuration.admin {
        case .off: return
        case .unix(let path): place = .unix(path: path)
        case .tcp(let text):
            guard let address = text.address else {
                throw StartFault(reason: "admin \(text): not an address")
            }
            place = .ip(address, port: text.port)
            isLoopback = text.isLoopback
            isOurs = isLoopback ? Self.isLoopback(text.hostText) : Self.isCertified(gateway)
        }
        try desk.token.prepare(configuration, isOpen: !isLoopback)
        for file in desk.token.made {
            gateway.log(.info, "made", [("content", file.content), ("path", file.path)])
        }
        let service = AdminService(isLoopback: isLoopback, desk.actions, isOurs: isOurs)
        let gateway = gateway
        var server: SmallServer?
        do {
            server = SmallServer(
                try Listener(place, isShared: false), kind: Self.kind,
                // The token says who calls, whatever clients of the listener have to prove.
                tls: isLoopback ? nil : { gateway.generation.tls.withoutClients() },
                service: SmallService(
                    answer: { Self.answer($0, service) },
                    bodyMax: { service.bodyMax(Self.admin($0)) },
                    refuse: { Self.response(service.refuse($0.status, client: $1)) }))
        } catch {
            throw StartFault(reason: "admin listener \(place): \(error)")
        }
        if let server { try control.add(server) }
    }

    private static func isLoopback(_ own: String) -> (String) -> Bool {
        { ["localhost", "127.0.0.1", "[::1]", own].contains($0) }
    }

    /// A name that the certificate is for. An address is nobody's to point elsewhere.
    private static func isCertified(_ gateway: Gateway) -> (String) -> Bool {
        { name in
            let bare = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
            let isAddress = IPAddress(Array(bare.utf8).span) != nil
            return isAddress || name == "localhost" || gateway.generation.tls.covers(name)
        }
    }

    private static func admin(_ request: SmallRequest) -> AdminRequest {
        AdminRequest(
            method: request.method, path: request.path, field: { request.field($0) },
            body: request.body, client: request.client)
    }

    private static func answer(_ request: SmallRequest, _ service: AdminService) -> SmallResponse {
        response(service.answer(admin(request)))
    }

    private static func response(_ answer: AdminAnswer) -> SmallResponse {
        var fields: [(name: String, value: String)] = [("cache-control", "no-store")]
        if !answer.allow.isEmpty { fields.append(("allow", answer.allow)) }
        if answer.retryAfter > 0 { fields.append(("retry-after", "\(answer.retryAfter)")) }
        if !answer.challenge.isEmpty { fields.append(("www-authenticate", answer.challenge)) }
        return SmallResponse(
            status: answer.status, type: answer.type, fields: fields, body: answer.body)
    }
}
