package io.holdfast.authority.agent;

/**
 * What an agent asks of the helper.
 *
 * @param user who authenticates, by name
 * @param cookie of the authority's dialog. Never logged: it is half of an authorization
 */
record HelperRequest(String user, String cookie) {
    @Override
    public String toString() {
        return user;
    }
}
