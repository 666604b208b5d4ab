// SPDX-License-Identifier: Apache-2.0

import Crypto
import Policy
import TLS

/// The listener's certificate and key, and whose certificates are believed.
extension SecretsLoader {
    mutating func loadTLS() -> TLSServerContext? {
        let certificatePath = configuration.listen.certificatePath
        let keyPath = configuration.listen.keyPath
        let certificate = read(certificatePath)
        let key = read(keyPath)
        let clients = loadClientProof()
        guard let certificate, let key, case .some(let clients) = clients else { return nil }
        do {
            return try TLSServerContext(
                certificate: certificate.span, key: key.span, clients: clients, after: previous)
        } catch {
            guard case .configuration(let reason) = error else {
                return fault(certificatePath, "\(error)")
            }
            // The reason's first word says which of the two is meant.
            return fault(reason.hasPrefix("certificate") ? certificatePath : keyPath, reason)
        }
    }

    /// What clients are asked to prove, if anything; `nil` after a fault.
    private mutating func loadClientProof() -> ClientProof?? {
        let rules = configuration.listen.clientCertificates
        guard rules.demand != .none else { return .some(nil) }
        var authorities: [UInt8]?
        if let path = rules.authorityPath {
            do throws(FileFault) {
                authorities = try DiskFiles().read(path, limit: SecretFile.bytesMax)
            } catch {
                return fault(path, error.description)
            }
        }
        do throws(TLSFault) {
            return try ClientProof(
                isRequired: rules.demand == .required, authorities: authorities)
        } catch {
            return fault(rules.authorityPath ?? "listen.tls", error.reason)
        }
    }

    /// By path; those that cannot be read, or are no certificates, are faults.
    mutating func loadAuthorities() -> [String: [UInt8]] {
        var found: [String: [UInt8]] = [:]
        for upstream in configuration.upstreams {
            guard let path = upstream.tls.authorityPath, found[path] == nil,
                upstream.endpoints.contains(where: \.isTLS)
            else { continue }
            do throws(FileFault) {
                found[path] = try DiskFiles().read(path, limit: SecretFile.bytesMax)
            } catch {
                note(path, error.description)
                continue
            }
            do throws(TLSFault) {
                _ = try TLSClientContext(
                    serverName: "localhost", trust: .authorities(found[path] ?? []),
                    isResuming: false)
            } catch {
                note(path, "\(error)")
            }
        }
        return found
    }
}
