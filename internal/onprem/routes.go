package onprem

import (
	"net/http"

	"kabar"
)

// Handlers returns the handlers by the patterns of the authorisation table.
func (a *API) Handlers() map[string]http.Handler {
	all := map[string]http.Handler{}
	for _, some := range []map[string]func(*exchange) error{a.administering(), a.talking(), a.operating()} {
		for pattern, f := range some {
			all[pattern] = a.handle(f)
		}
	}
	for _, pattern := range groupRoutes() {
		all[pattern] = a.handle(func(*exchange) error {
			return kabar.Refuse(kabar.ReasonDenied, "", "groups are not enabled for this number")
		})
	}
	return all
}

// administering are users, registration, settings and certificates.
func (a *API) administering() map[string]func(*exchange) error {
	return map[string]func(*exchange) error{
		"POST /v1/users/login":                                   a.login,
		"POST /v1/users/logout":                                  a.logout,
		"POST /v1/users":                                         a.addUser,
		"GET /v1/users/{username}":                               a.showUser,
		"PUT /v1/users/{username}":                               a.changeUser,
		"DELETE /v1/users/{username}":                            a.removeUser,
		"POST /v1/account":                                       a.register,
		"POST /v1/account/verify":                                a.verify,
		"GET /v1/account/shards":                                 a.showShards,
		"POST /v1/account/shards":                                a.setShards,
		"POST /v1/settings/account/two-step":                     a.setPIN,
		"DELETE /v1/settings/account/two-step":                   a.removePIN,
		"GET /v1/settings/application":                           a.settings,
		"PATCH /v1/settings/application":                         a.changeSettings,
		"GET /v1/settings/application/media/providers":           a.providers,
		"POST /v1/settings/application/media/providers":          a.saveProvider,
		"DELETE /v1/settings/application/media/providers/{name}": a.removeProvider,
		"DELETE /v1/settings/application":                        a.resetSettings,
		"POST /v1/settings/backup":                               a.backup,
		"POST /v1/settings/restore":                              a.restore,
		"GET /v1/settings/business/profile":                      a.profile,
		"POST /v1/settings/business/profile":                     a.changeProfile,
		"GET /v1/settings/profile/about":                         a.about,
		"PATCH /v1/settings/profile/about":                       a.changeAbout,
		"GET /v1/settings/profile/photo":                         a.photo,
		"POST /v1/settings/profile/photo":                        a.setPhoto,
		"DELETE /v1/settings/profile/photo":                      a.removePhoto,
		"POST /v1/certificates/external":                         a.setExternal,
		"GET /v1/certificates/external/ca":                       a.externalCA,
		"POST /v1/certificates/webhooks/ca":                      a.setWebhookCA,
		"GET /v1/certificates/webhooks/ca":                       a.webhookCA,
		"DELETE /v1/certificates/webhooks/ca":                    a.removeWebhookCA,
		"GET /photo/{name}":                                      a.linkedPhoto,
	}
}

// talking are the calls by which a number talks with customers.
func (a *API) talking() map[string]func(*exchange) error {
	return map[string]func(*exchange) error{
		"POST /v1/contacts":                             a.contacts,
		"GET /v1/contacts/{wa_id}/identity":             a.showIdentity,
		"PUT /v1/contacts/{wa_id}/identity":             a.acknowledge,
		"POST /v1/messages":                             a.send,
		"PUT /v1/messages/{id}":                         a.mark,
		"POST /v1/media":                                a.upload,
		"GET /v1/media/{id}":                            a.download,
		"DELETE /v1/media/{id}":                         a.remove,
		"GET /v1/stickerpacks":                          a.packList,
		"POST /v1/stickerpacks":                         a.addPack,
		"GET /v1/stickerpacks/{id}":                     a.pack,
		"PATCH /v1/stickerpacks/{id}":                   a.changePack,
		"DELETE /v1/stickerpacks/{id}":                  a.removePack,
		"GET /v1/stickerpacks/{id}/stickers":            a.stickers,
		"POST /v1/stickerpacks/{id}/stickers":           a.addSticker,
		"GET /v1/stickerpacks/{id}/stickers/{index}":    a.sticker,
		"PATCH /v1/stickerpacks/{id}/stickers/{index}":  a.changeSticker,
		"DELETE /v1/stickerpacks/{id}/stickers/{index}": a.removeSticker,
	}
}

// operating are health, figures and maintenance.
func (a *API) operating() map[string]func(*exchange) error {
	return map[string]func(*exchange) error{
		"PUT /v1/services/message/gc": a.collectMessages,
		"PUT /v1/services/media/gc":   a.collectMedia,
		"GET /v1/stats/app":           a.statsApp,
		"GET /v1/stats/app/internal":  a.statsApp,
		"GET /v1/stats/db":            a.statsDB,
		"GET /v1/stats/db/internal":   a.statsDB,
		"GET /v1/metrics":             a.metrics,
		"GET /metrics":                a.metrics,
		"GET /v1/support":             a.support,
		"GET /v1/health":              a.health,
	}
}

// groupRoutes are the calls about groups (contract 1.13), which no number of this server may have.
func groupRoutes() []string {
	return []string{"GET /v1/groups", "POST /v1/groups", "GET /v1/groups/{id}", "PUT /v1/groups/{id}", "GET /v1/groups/{id}/invite",
		"DELETE /v1/groups/{id}/invite", "DELETE /v1/groups/{id}/participants", "PATCH /v1/groups/{id}/admins", "DELETE /v1/groups/{id}/admins",
		"POST /v1/groups/{id}/leave", "GET /v1/groups/{id}/icon", "POST /v1/groups/{id}/icon", "DELETE /v1/groups/{id}/icon"}
}
