// SPDX-License-Identifier: Apache-2.0

/// What an endpoint's checks have come to: healthy at first, unhealthy after so many failures in a
/// row, healthy again after one success.
struct HealthState {
    private(set) var isHealthy = true
    /// Why the last check failed.
    private(set) var lastFault = ""
    private var failuresInARow = 0

    /// What one check found; the reason is fit for a log.
    enum Finding: Equatable {
        case passed(String)
        case failed(String)

        init(_ result: Result<FetchResponse, FetchFault>) {
            switch result {
            case .success(let answer) where answer.status < 400:
                self = .passed("status \(answer.status)")
            case .success(let answer): self = .failed("status \(answer.status)")
            case .failure(let fault): self = .failed("\(fault)")
            }
        }
    }

    /// - Returns: whether this has changed ``isHealthy``.
    mutating func take(_ finding: Finding, unhealthyAfter: Int) -> Bool {
        let before = isHealthy
        switch finding {
        case .passed:
            failuresInARow = 0
            isHealthy = true
        case .failed(let fault):
            lastFault = fault
            failuresInARow = min(failuresInARow + 1, unhealthyAfter)
            if failuresInARow == unhealthyAfter { isHealthy = false }
        }
        return isHealthy != before
    }
}
