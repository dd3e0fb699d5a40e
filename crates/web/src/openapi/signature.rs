//! What handlers' signatures say. A parameter or a body that a handler takes is described because it takes it.

use std::future::Future;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::{Extension, Json};
use schemars::JsonSchema;

use super::Operation;
use crate::ApiError;

/// What one argument of a handler says.
pub(crate) trait Argument {
    /// Whether anything may stand behind a `?`; the argument then says what.
    const TAKES_PARAMETERS: bool = false;

    /// Adds what it takes from the request, and what can be wrong with that.
    fn describe(_operation: &mut Operation<'_>) {}
}

/// What a handler's result says.
pub(crate) trait Answers {
    /// Adds what is answered; nothing where the type does not tell.
    fn describe(_operation: &mut Operation<'_>) {}
}

/// What a handler's signature says as a whole.
pub(crate) trait Signature<Arguments> {
    /// Whether one of the arguments takes parameters.
    const TAKES_PARAMETERS: bool;

    /// Adds what the arguments and the result say.
    fn describe(operation: &mut Operation<'_>);
}

macro_rules! signatures {
    ($(($($argument:ident),*))+) => {$(
        impl<F, Fut, R, $($argument),*> Signature<($($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut,
            Fut: Future<Output = Result<R, ApiError>>,
            R: Answers,
            $($argument: Argument,)*
        {
            const TAKES_PARAMETERS: bool = false $(|| $argument::TAKES_PARAMETERS)*;

            fn describe(operation: &mut Operation<'_>) {
                R::describe(operation);
                $($argument::describe(operation);)*
            }
        }
    )+};
}

signatures! { () (A) (A, B) (A, B, C) (A, B, C, D) (A, B, C, D, E) (A, B, C, D, E, G) }

impl<S> Argument for State<S> {}

impl Argument for HeaderMap {}

impl<T> Argument for Extension<T> {}

impl<T> Argument for Option<Extension<T>> {}

impl<T: JsonSchema> Answers for Json<T> {
    fn describe(operation: &mut Operation<'_>) {
        operation.answers::<T>(StatusCode::OK, "What was asked for.");
    }
}

impl Answers for Response {}
