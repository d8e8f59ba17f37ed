/**
 * Requests and what follows from them: {@code Jobs} reads the files that a request needs and hands
 * it to the job engine; {@code Reactions} and {@code Triggers} request jobs because units have
 * changed.
 */
@NullMarked
package io.holdfast.manager.request;

import org.jspecify.annotations.NullMarked;
