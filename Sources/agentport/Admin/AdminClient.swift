// SPDX-License-Identifier: Apache-2.0

import Control
import JSON
import Reactor

/// Asks one thing of an admin listener, and waits for the answer.
struct AdminClient {
    private static let fetchKind: UInt8 = 1
    /// A rotation waits for a disk.
    private static let timeoutMilliseconds = 30_000

    let target: AdminTarget

    struct Answer {
        let status: Int
        let body: [UInt8]
    }

    /// - Parameter isOpen: for what needs no token.
    func ask(
        _ method: String, _ path: String, body: [UInt8] = [],
        fields: [(name: String, value: String)] = [], isOpen: Bool = false
    ) throws(CommandFailure) -> Answer {
        var fields = fields
        if !isOpen { fields.append(("authorization", "Bearer \(try target.token())")) }
        let request = FetchRequest(
            method: method, path: path, host: target.host, fields: fields, body: body,
            timeoutMilliseconds: Self.timeoutMilliseconds)
        switch try fetch(request) {
        case .success(let response):
            return Answer(status: response.status, body: response.body)
        case .failure(let fault):
            throw .failed("the admin listener at \(target.address) does not answer: \(fault)")
        }
    }

    private func fetch(
        _ request: FetchRequest
    ) throws(CommandFailure) -> Result<FetchResponse, FetchFault> {
        do {
            var loop = try EventLoop()
            let fetcher = Fetcher(kind: Self.fetchKind)
            var result: Result<FetchResponse, FetchFault>?
            _ = fetcher.start(
                request, from: target.address, tls: target.tls, now: Self.now
            ) { result = $0 }
            while result == nil {
                fetcher.watch(on: &loop)
                let wait = (fetcher.wakeAt ?? .max) - min(Self.now, fetcher.wakeAt ?? .max)
                let count = loop.wait(milliseconds: Int(clamping: min(wait, 1000)))
                for index in 0..<count { _ = fetcher.handle(loop.event(at: index), on: &loop) }
                fetcher.expire(now: Self.now)
                fetcher.deliver()
            }
            return result ?? .failure(.cut)
        } catch {
            throw .failed("\(error)")
        }
    }

    private static var now: UInt64 { Clock.monotonicNanoseconds() / 1_000_000 }
}

extension AdminClient.Answer {
    /// The answer for people: JSON, one item a line.
    func text() throws(CommandFailure) -> String {
        guard let value = try? JSONReader.read(body.span) else {
            throw .failed("the answer is not JSON: is there another program at this address?")
        }
        guard (200..<300).contains(status) else { throw .failed(Self.reason(value, status)) }
        var writer = JSONWriter(.pretty)
        writer.value(value)
        return writer.text + "\n"
    }

    /// A problem in one line.
    private static func reason(_ problem: JSONValue, _ status: Int) -> String {
        let title = problem["title"]?.string ?? "refused"
        let code = problem["code"]?.string.map { " \($0)" } ?? ""
        let detail = problem["detail"]?.string ?? ""
        let pointer = problem["pointer"]?.string.map { $0.isEmpty ? "" : " (\($0))" } ?? ""
        let faults = problem["faults"]?.array?.compactMap(\.string) ?? []
        return "\(status)\(code): \(title)" + (detail.isEmpty ? "" : ". \(detail)") + pointer
            + faults.map { "; \($0)" }.joined()
    }
}
