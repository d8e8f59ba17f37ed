package io.holdfast.authority.agent;

/**
 * The request of an agent to the helper.
 *
 * @param user the name of the user who authenticates
 * @param cookie of the authority's dialog. Never logged: it is half of an authorization
 */
record HelperRequest(String user, String cookie) {
    @Override
    public String toString() {
        return user;
    }
}
