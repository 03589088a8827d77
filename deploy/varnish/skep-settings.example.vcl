# Copy to skep-settings.vcl in varnishd's vcl_path (usually /etc/varnish), fill in, and let only root and
# varnishd read it.

# What holds the repository: the bucket's endpoint, or `skep serve`.
backend skep_origin {
	.host = "127.0.0.1";
	.port = "4000";
	# What the origin expects in the Host header: for S3, the bucket's own host name.
	.host_header = "localhost";
	.connect_timeout = 3s;
}

# `skep edge`, which private repositories are passed on to. Where there are none: `backend skep_edge none;`
backend skep_edge {
	.host = "127.0.0.1";
	.port = "4001";
	.connect_timeout = 3s;
}

# Where generators run. Behind a proxy that ends TLS this is the proxy's address, unless it speaks the
# PROXY protocol to varnishd.
acl skep_purgers {
	"localhost";
}

# The same token as in the generator's settings; make one with `openssl rand -hex 32`.
sub skep_check_purge_token {
	if (req.http.Skep-Purge-Token != "replace-with-a-long-random-token") {
		return (synth(401, "The purge token is missing or wrong"));
	}
}
