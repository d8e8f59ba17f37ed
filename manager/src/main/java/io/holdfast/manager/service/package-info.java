/**
 * Services: their states, and the steps that lead from one to the next.
 *
 * <p>{@link io.holdfast.manager.service.Service} tells the states and who does what in them.
 */
@NullMarked
package io.holdfast.manager.service;

import org.jspecify.annotations.NullMarked;
