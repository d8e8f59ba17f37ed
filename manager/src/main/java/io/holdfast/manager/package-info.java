/** The service manager: requests, jobs, reactions to unit states, and recovery after a crash. */
@NullMarked
package io.holdfast.manager;

import org.jspecify.annotations.NullMarked;
