// SPDX-License-Identifier: Apache-2.0

/// Why a call is refused (RFC 9457), in the form that the listener's own refusals have.
package struct AdminProblem: Error, Equatable {
    package let status: Int
    package let code: String
    package let title: String
    package var detail: String
    /// Where in the body, as a JSON Pointer.
    package var pointer: String?
    /// Each of several faults.
    package var faults: [String] = []

    package init(
        _ status: Int, _ code: String, _ title: String, detail: String = "",
        pointer: String? = nil, faults: [String] = []
    ) {
        self.status = status
        self.code = code
        self.title = title
        self.detail = detail
        self.pointer = pointer
        self.faults = faults
    }

    static let origin = AdminProblem(
        403, "origin_denied", "The admin listener is not for browsers' pages")
    static let unknown = AdminProblem(
        404, "no_route", "There is no such call",
        detail: "The calls are those of `agentport admin --help`, and /livez, /readyz, /metrics.")
    static let notBuilt = AdminProblem(
        404, "no_route", "There is no such call", detail: "It is not built yet in this version.")
    static let method = AdminProblem(
        405, "method_not_allowed", "The method is not allowed here",
        detail: "Allow names those that are.")
    static let tokenMissing = AdminProblem(
        401, "credentials_missing", "The admin token is needed",
        detail: "Send Authorization: Bearer <admin token>.")
    static let tokenWrong = AdminProblem(
        401, "credentials_invalid", "The admin token is not valid",
        detail: "It is the content of the secret admin_token, or of state_dir/admin_token.")

    /// What was sent is no HTTP request, or a larger one than any call has.
    ///
    /// - Parameter status: as RFC 9110 has it.
    static func unreadable(_ status: Int) -> AdminProblem {
        switch status {
        case 413: AdminProblem(status, "body_too_large", "The body is too large")
        case 414: AdminProblem(status, "uri_too_long", "The request line is too long")
        case 431: AdminProblem(status, "headers_too_large", "The header fields are too large")
        case 505: AdminProblem(status, "http_version", "This version of HTTP is not spoken here")
        default: AdminProblem(400, "http_malformed", "The request is not well-formed HTTP/1.1")
        }
    }
    static let tooManyTokens = AdminProblem(
        429, "rate_limited", "Too many wrong admin tokens",
        detail: "Wait as Retry-After says; no token is looked at until then.")
    static let noToken = AdminProblem(
        503, "state_unavailable", "There is no admin token",
        detail: "Give one as the secret admin_token, or a writable state directory to keep one in.")

    package static func unknownAgent(_ name: String) -> AdminProblem {
        AdminProblem(404, "agent_unknown", "There is no such agent", detail: "No agent `\(name)`.")
    }

    package static func body(_ detail: String, at pointer: String) -> AdminProblem {
        AdminProblem(
            422, "schema_violation", "The body is not what this call takes", detail: detail,
            pointer: pointer)
    }

    /// It would be forgotten, and so is not done.
    package static let notDurable = AdminProblem(
        503, "state_unavailable", "Nothing can be kept",
        detail: "A rotation that a restart would undo is refused: give a writable state directory.")

    /// - Parameter whatHolds: what has changed all the same, until a restart.
    package static func notKept(_ reason: String, whatHolds: String? = nil) -> AdminProblem {
        AdminProblem(
            503, "state_unavailable",
            whatHolds.map { "It could not be kept: \($0), but a restart may undo that" }
                ?? "It could not be kept, and nothing was changed",
            detail: reason)
    }
}
