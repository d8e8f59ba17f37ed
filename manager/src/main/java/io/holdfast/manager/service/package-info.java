/**
 * Services: their states, and the steps that lead from one to the next.
 *
 * <p>{@link io.holdfast.manager.service.ManagedService} describes the states and which class
 * handles each.
 */
@NullMarked
package io.holdfast.manager.service;

import org.jspecify.annotations.NullMarked;
