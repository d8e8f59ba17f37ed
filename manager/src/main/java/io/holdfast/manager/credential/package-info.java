/**
 * The credentials of units: secrets that only the processes of one unit can read.
 *
 * <p>{@link io.holdfast.manager.credential.UnitCredentials} is the entry point. It collects the
 * content ({@link io.holdfast.manager.credential.CredentialContents}) from files, folders, sockets
 * and credential stores, decrypts what is encrypted, and puts it into a file system of its own
 * ({@link io.holdfast.manager.credential.CredentialFolder}). All of it blocks and runs on a worker.
 */
@NullMarked
package io.holdfast.manager.credential;

import org.jspecify.annotations.NullMarked;
