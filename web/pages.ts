/** Every page with who may open it. */
import type { Page } from "./page.ts";
import { changeFullName, showAccount } from "./pages/account.tsx";
import { decideAuthorization, showAuthorization } from "./pages/authorize.tsx";
import { confirmDevice, decideDevice, showDevice, showDeviceRequest } from "./pages/device.tsx";
import { sendVerification, showVerification, verifyAddress } from "./pages/email.tsx";
import { addEmail, changeEmail, showEmails } from "./pages/emails.tsx";
import { createKeyPage, revokeAllKeysPage, revokeKeyPage, showKeys } from "./pages/keys.tsx";
import {
  addMemberPage,
  changeMemberPage,
  createOrganizationKeyPage,
  leavePage,
  removeMemberPage,
  revokeOrganizationKeyPage,
  showOrganization,
} from "./pages/organization.tsx";
import { createOrganizationPage, showOrganizations } from "./pages/organizations.tsx";
import { showPackage } from "./pages/package.tsx";
import { changePasswordPage, showPassword } from "./pages/password.tsx";
import { requestReset, reset, showReset, showResetRequest } from "./pages/reset.tsx";
import { endOtherSessions, endProgram, endSession, showSessions } from "./pages/sessions.tsx";
import { showSignIn, signIn, signOut } from "./pages/sign-in.tsx";
import { showSignUp, signUp } from "./pages/sign-up.tsx";
import { showStart } from "./pages/start.tsx";
import { showSudo, sudo } from "./pages/sudo.tsx";
import { secondStep, showSecondStep } from "./pages/tfa.tsx";
import {
  disableTwoFactor,
  enableTwoFactor,
  rotateRecoveryCodes,
  showTwoFactor,
} from "./pages/two-factor.tsx";
import { showUser } from "./pages/user.tsx";

export const PAGES: readonly Page[] = [
  { method: "GET", path: "/", access: "anyone", handler: showStart },
  { method: "GET", path: "/packages/:name", access: "anyone", handler: showPackage },
  { method: "GET", path: "/packages/:name/:version", access: "anyone", handler: showPackage },
  { method: "GET", path: "/packages/:repository/:name/:version", access: "anyone", handler: showPackage },
  { method: "GET", path: "/users/:name", access: "anyone", handler: showUser },

  { method: "GET", path: "/signup", access: "anyone", handler: showSignUp },
  { method: "POST", path: "/signup", access: "anyone", handler: signUp },
  { method: "GET", path: "/login", access: "anyone", handler: showSignIn },
  { method: "POST", path: "/login", access: "anyone", handler: signIn },
  { method: "GET", path: "/tfa", access: "anyone", handler: showSecondStep },
  { method: "POST", path: "/tfa", access: "anyone", handler: secondStep },
  { method: "POST", path: "/logout", access: "anyone", handler: signOut },
  { method: "GET", path: "/sudo", access: "user", handler: showSudo },
  { method: "POST", path: "/sudo", access: "user", handler: sudo },

  { method: "GET", path: "/email/verify", access: "anyone", handler: verifyAddress },
  { method: "GET", path: "/email/verification", access: "anyone", handler: showVerification },
  { method: "POST", path: "/email/verification", access: "anyone", handler: sendVerification },
  { method: "GET", path: "/password/reset", access: "anyone", handler: showResetRequest },
  { method: "POST", path: "/password/reset", access: "anyone", handler: requestReset },
  { method: "GET", path: "/password/new", access: "anyone", handler: showReset },
  { method: "POST", path: "/password/new", access: "anyone", handler: reset },

  { method: "GET", path: "/oauth/device", access: "user", handler: showDevice },
  { method: "POST", path: "/oauth/device", access: "user", handler: confirmDevice },
  { method: "GET", path: "/oauth/device/authorize", access: "sudo", handler: showDeviceRequest },
  { method: "POST", path: "/oauth/device/authorize", access: "sudo", handler: decideDevice },
  { method: "GET", path: "/oauth/authorize", access: "sudo", handler: showAuthorization },
  { method: "POST", path: "/oauth/authorize", access: "sudo", handler: decideAuthorization },

  { method: "GET", path: "/account", access: "user", handler: showAccount },
  { method: "POST", path: "/account", access: "user", handler: changeFullName },
  { method: "GET", path: "/account/keys", access: "user", handler: showKeys },
  { method: "POST", path: "/account/keys", access: "sudo", handler: createKeyPage },
  { method: "POST", path: "/account/keys/revoke", access: "user", handler: revokeKeyPage },
  { method: "POST", path: "/account/keys/revoke-all", access: "user", handler: revokeAllKeysPage },
  { method: "GET", path: "/account/password", access: "sudo", handler: showPassword },
  { method: "POST", path: "/account/password", access: "sudo", handler: changePasswordPage },
  { method: "GET", path: "/account/two-factor", access: "sudo", handler: showTwoFactor },
  { method: "POST", path: "/account/two-factor", access: "sudo", handler: enableTwoFactor },
  { method: "POST", path: "/account/two-factor/disable", access: "sudo", handler: disableTwoFactor },
  {
    method: "POST",
    path: "/account/two-factor/recovery-codes",
    access: "sudo",
    handler: rotateRecoveryCodes,
  },
  { method: "GET", path: "/account/emails", access: "user", handler: showEmails },
  { method: "POST", path: "/account/emails", access: "sudo", handler: addEmail },
  { method: "POST", path: "/account/emails/change", access: "sudo", handler: changeEmail },
  { method: "GET", path: "/account/organizations", access: "user", handler: showOrganizations },
  { method: "POST", path: "/account/organizations", access: "sudo", handler: createOrganizationPage },
  { method: "GET", path: "/organizations/:name", access: "user", handler: showOrganization },
  { method: "POST", path: "/organizations/:name/members", access: "sudo", handler: addMemberPage },
  { method: "POST", path: "/organizations/:name/members/change", access: "sudo", handler: changeMemberPage },
  { method: "POST", path: "/organizations/:name/members/remove", access: "sudo", handler: removeMemberPage },
  { method: "POST", path: "/organizations/:name/leave", access: "sudo", handler: leavePage },
  { method: "POST", path: "/organizations/:name/keys", access: "sudo", handler: createOrganizationKeyPage },
  {
    method: "POST",
    path: "/organizations/:name/keys/revoke",
    access: "user",
    handler: revokeOrganizationKeyPage,
  },
  { method: "GET", path: "/account/sessions", access: "user", handler: showSessions },
  { method: "POST", path: "/account/sessions/end", access: "user", handler: endSession },
  { method: "POST", path: "/account/sessions/end-program", access: "user", handler: endProgram },
  { method: "POST", path: "/account/sessions/end-others", access: "user", handler: endOtherSessions },
];
