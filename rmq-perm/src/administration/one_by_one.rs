//! Many changes without a mechanism for many.

use rmq_common::failure::Failure;

/// Makes each of `all`, in their order, until `made` returns that no more are to be begun.
///
/// # Errors
/// The place of one that was not made, or perhaps not, and why.
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
