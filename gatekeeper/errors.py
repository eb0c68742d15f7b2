"""Every error that the gatekeeper raises on purpose.

    GatekeeperError
    ├── InvalidRequest        400  the client's request cannot be judged as it is
    ├── NotSupported          404  an endpoint or shape that the gate does not understand
    ├── Unauthorized          401  no valid API key
    ├── Forbidden             403  a valid key that is not for this
    ├── NotFound              404  there is no such decision, or it is another application's
    ├── Conflict              409  what is asked for no longer fits the state of the decision
    ├── BodyTooLarge          413  a request over the configured size
    ├── Overloaded            503  every place is taken; come again after `retry_after` seconds
    ├── UpstreamError         502  the model server failed, or its own status where it sent one
    │   ├── UpstreamTimeout   504  no answer before the deadline
    │   └── UpstreamGarbled   502  an answer that is no valid OpenAI response
    ├── PolicyError                a policy file that cannot be used
    ├── CalibrationError           a calibration artefact that cannot be used with this model
    ├── CertificateError      503  no valid certificate for this policy and model
    ├── AuditError            503  the decision log cannot be written, or does not verify
    ├── ReviewError           503  the review database cannot be read or written
    ├── ConfigurationError         settings that contradict each other or name what is not there
    └── ReplayMiss                 a replay needs a model call that was not recorded

Messages say what to do next and never carry text of a request, of evidence or of an answer.
"""


class GatekeeperError(Exception):
    """Base of the tree. `status`, `type` and `code` are used where it reaches an HTTP client."""

    status = 500
    type = "gatekeeper_error"
    code: str | None = None

    def __init__(self, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        if code is not None:
            self.code = code


class InvalidRequest(GatekeeperError):
    """The client's request cannot be judged as it is."""

    status = 400
    type = "invalid_request_error"


class NotSupported(GatekeeperError):
    """An endpoint or shape that the gate does not understand, so does not let through."""

    status = 404
    type = "invalid_request_error"
    code = "not_supported"


class Unauthorized(GatekeeperError):
    """The request carries no valid API key."""

    status = 401
    type = "authentication_error"
    code = "invalid_api_key"


class Forbidden(GatekeeperError):
    """The key is valid, but not for what is asked."""

    status = 403
    type = "permission_error"
    code = "forbidden"


class NotFound(GatekeeperError):
    """There is no such decision, or none that this key may see."""

    status = 404
    type = "invalid_request_error"
    code = "not_found"


class Conflict(GatekeeperError):
    """The decision's state is another than the request takes it to be."""

    status = 409
    type = "invalid_request_error"
    code = "conflict"


class BodyTooLarge(GatekeeperError):
    """The request body is over the configured size."""

    status = 413
    type = "invalid_request_error"
    code = "request_too_large"


class Overloaded(GatekeeperError):
    """Every place is taken."""

    status = 503
    type = "overloaded_error"
    code = "overloaded"

    def __init__(self, message: str, *, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class UpstreamError(GatekeeperError):
    """The model server failed. `status` is its own where it sent one, else 502."""

    status = 502
    type = "upstream_error"
    code = "upstream_error"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after
        if status is not None:
            self.status = status


class UpstreamTimeout(UpstreamError):
    """The model server gave no answer before the deadline."""

    status = 504
    code = "upstream_timeout"


class UpstreamGarbled(UpstreamError):
    """The model server's answer is no valid OpenAI response."""

    code = "upstream_garbled"


class PolicyError(GatekeeperError):
    """A policy file cannot be used; the message names file, place and remedy."""


class CalibrationError(GatekeeperError):
    """A calibration artefact cannot be used with this model."""


class CertificateError(GatekeeperError):
    """No valid certificate binds this policy, model and code. Nothing is served without one."""

    status = 503


class AuditError(GatekeeperError):
    """The decision log cannot be written, or does not verify. Retrying helps once it can be written."""

    status = 503


class ReviewError(GatekeeperError):
    """The review database cannot be read or written, so a held answer could not enter the queue."""

    status = 503
    code = "review_unavailable"


class ConfigurationError(GatekeeperError):
    """Settings contradict each other or name what is not there."""


class ReplayMiss(GatekeeperError):
    """A replay needs a model call that the recording does not hold."""
