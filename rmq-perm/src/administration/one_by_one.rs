//! Many changes, for transports that can only make one at a time.

use rmq_common::failure::Failure;

/// Makes each of `all`, in order, until `made` returns that no more are to be started.
///
/// # Errors
/// The position of one that was not made, or may not have been, and why.
pub fn one_by_one<T>(
    all: &[T],
    made: &mut dyn FnMut() -> bool,
    mut make: impl FnMut(&T) -> Result<(), Failure>,
) -> Result<(), (usize, Failure)> {
    for (place, one) in all.iter().enumerate() {
        make(one).map_err(|failure| (place, failure))?;
        if !made() {
            break;
        }
    }
    Ok(())
}
