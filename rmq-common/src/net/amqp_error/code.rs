//! Reply codes of AMQP 0-9-1 (specification, section 1.2) and RabbitMQ's use of them.

pub(super) const CONTENT_TOO_LARGE: u16 = 311;
pub(super) const NO_ROUTE: u16 = 312;
/// An operator or a shutdown closed it.
pub(super) const CONNECTION_FORCED: u16 = 320;
pub(super) const ACCESS_REFUSED: u16 = 403;
pub(super) const NOT_FOUND: u16 = 404;
pub(super) const RESOURCE_LOCKED: u16 = 405;
pub(super) const PRECONDITION_FAILED: u16 = 406;
pub(super) const COMMAND_INVALID: u16 = 503;
/// lapin's code for an answer that nothing waits for.
pub(super) const UNEXPECTED_FRAME: u16 = 505;
/// The broker lacks a resource, or a stream has no replica on this node.
pub(super) const RESOURCE_ERROR: u16 = 506;
/// Among others: no such virtual host, or no access to it.
pub(super) const NOT_ALLOWED: u16 = 530;
pub(super) const NOT_IMPLEMENTED: u16 = 540;
/// Among others: a queue without a quorum.
pub(super) const INTERNAL_ERROR: u16 = 541;
